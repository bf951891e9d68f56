//! What the gateway answers by itself, in the template's words.

use std::collections::BTreeMap;

use http::{Response, StatusCode};
use serde_json::Value;

use crate::template::{Template, TemplateError};

/// When the gateway answers itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No function has the path.
    MissingAuthenticationToken,
    /// The body is over 10 MB, or the event over 6 MB.
    RequestTooLarge,
    /// The function took longer than 29 s.
    IntegrationTimeout,
    /// The function failed.
    IntegrationFailure,
    /// The function's answer is no proxy response.
    Default5xx,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::MissingAuthenticationToken => "MISSING_AUTHENTICATION_TOKEN",
            Self::RequestTooLarge => "REQUEST_TOO_LARGE",
            Self::IntegrationTimeout => "INTEGRATION_TIMEOUT",
            Self::IntegrationFailure => "INTEGRATION_FAILURE",
            Self::Default5xx => "DEFAULT_5XX",
        }
    }
}

/// The template's gateway responses.
#[derive(Debug, Clone)]
pub struct Answers(BTreeMap<String, Answer>);

#[derive(Debug, Clone)]
struct Answer {
    status: StatusCode,
    headers: Vec<(String, String)>,
    template: String,
}

impl Answers {
    /// Reads the gateway responses of the template's one API.
    pub fn read(template: &Template) -> Result<Self, TemplateError> {
        let (id, api) = template
            .of_kind("AWS::Serverless::Api")
            .next()
            .ok_or_else(|| TemplateError::Unknown("AWS::Serverless::Api".to_owned()))?;
        let responses = api
            .properties
            .get("GatewayResponses")
            .and_then(Value::as_object)
            .ok_or_else(|| {
                TemplateError::unexpected(format!("{id}.GatewayResponses"), "a mapping")
            })?;
        responses
            .iter()
            .map(|(name, response)| {
                let place = format!("{id}.GatewayResponses.{name}");
                let answer = Answer::read(response).ok_or_else(|| {
                    TemplateError::unexpected(place, "a status and a JSON template")
                })?;
                Ok((name.clone(), answer))
            })
            .collect::<Result<_, TemplateError>>()
            .map(Self)
    }

    /// The answer of a kind. `$context` is filled in as API Gateway does.
    pub fn render(&self, kind: Kind, request_id: &str, message: &str) -> Response<Vec<u8>> {
        let Some(answer) = self
            .0
            .get(kind.name())
            .or_else(|| self.0.get("DEFAULT_5XX"))
        else {
            return Response::new(Vec::new());
        };
        let body = answer
            .template
            .replace(
                "$context.error.messageString",
                &Value::from(message).to_string(),
            )
            .replace("$context.requestId", request_id);
        let mut response = Response::builder()
            .status(answer.status)
            .header("content-type", "application/json");
        for (name, value) in &answer.headers {
            response = response.header(name, value);
        }
        response.body(body.into_bytes()).unwrap_or_default()
    }
}

impl Answer {
    fn read(response: &Value) -> Option<Self> {
        let headers = response
            .pointer("/ResponseParameters/Headers")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        Some(Self {
            status: response.get("StatusCode")?.as_str()?.parse().ok()?,
            headers: headers
                .iter()
                .filter_map(|(name, value)| {
                    // A static value is written in single quotes within its text.
                    Some((name.clone(), value.as_str()?.trim_matches('\'').to_owned()))
                })
                .collect(),
            template: response
                .pointer("/ResponseTemplates/application~1json")?
                .as_str()?
                .to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use agentwarm_core::error::ErrorCode;

    use super::*;
    use crate::template::tests::ours;

    #[test]
    fn every_answer_of_the_gateway_has_the_shape_of_ours() {
        let answers = Answers::read(&ours()).unwrap();
        assert!(answers.0.contains_key("DEFAULT_4XX") && answers.0.contains_key("DEFAULT_5XX"));
        for (name, answer) in &answers.0 {
            let body = answer
                .template
                .replace("$context.error.messageString", "\"m\"")
                .replace("$context.requestId", "r");
            let body: Value =
                serde_json::from_str(&body).unwrap_or_else(|error| panic!("{name}: {error}"));
            let keys: Vec<_> = body
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect();
            assert_eq!(
                keys,
                ["error", "code", "statusCode", "action", "requestId"],
                "{name}"
            );
            assert_eq!(body["statusCode"], answer.status.as_u16(), "{name}");
            let header = |wanted: &str| {
                let named = |(name, _): &&(String, String)| name.eq_ignore_ascii_case(wanted);
                answer
                    .headers
                    .iter()
                    .find(named)
                    .map(|(_, value)| value.as_str())
            };
            assert_eq!(header("Access-Control-Allow-Origin"), Some("*"), "{name}");
            assert_eq!(header("Cache-Control"), Some("no-store"), "{name}");
            let is_429 = answer.status == StatusCode::TOO_MANY_REQUESTS;
            assert_eq!(header("Retry-After").is_some(), is_429, "{name}");
            // Pages may read what they are told to wait for.
            let exposed = header("Access-Control-Expose-Headers");
            assert_eq!(exposed, is_429.then_some("Retry-After"), "{name}");
        }
    }

    #[test]
    fn the_gateway_speaks_in_documented_codes() {
        for (name, answer) in &Answers::read(&ours()).unwrap().0 {
            let word = |key: &str| {
                let (_, rest) = answer
                    .template
                    .split_once(&format!("\"{key}\":\""))
                    .unwrap();
                rest.split('"').next().unwrap().to_owned()
            };
            let code = ErrorCode::ALL
                .iter()
                .find(|code| code.as_str() == word("code"));
            let action = code.map(|code| code.action());
            assert_eq!(action, Some(word("action").as_str()), "{name}");
        }
    }

    #[test]
    fn an_answer_is_filled_in() {
        let response = Answers::read(&ours())
            .unwrap()
            .render(Kind::RequestTooLarge, "r-1", "");
        assert_eq!(response.status(), 413);
        assert_eq!(response.headers()["cache-control"], "no-store");
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(body["code"], "PAYLOAD_TOO_LARGE");
        assert_eq!(body["requestId"], "r-1");
    }
}
