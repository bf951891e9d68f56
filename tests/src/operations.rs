//! The documented operations, as requests: made from `docs/openapi.json`, so that a new one is tested and measured by being there.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use http::Method;
use serde_json::Value;

const DOCUMENT: &str = include_str!("../../docs/openapi.json");

/// Read once: some tests ask hundreds of times.
static PARSED: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(DOCUMENT).unwrap_or_default());

/// A documented operation.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Its method.
    pub method: Method,
    /// Its path, with parameters as in `/api/accounts/{id}`.
    pub template: String,
    /// What the document says of it.
    pub spec: Value,
}

/// The document.
pub fn document() -> &'static Value {
    &PARSED
}

/// All of them, in the document's order.
pub fn all() -> Vec<Operation> {
    let paths = PARSED.get("paths").and_then(Value::as_object);
    let mut operations = Vec::new();
    for (template, methods) in paths.into_iter().flatten() {
        for (method, spec) in methods.as_object().into_iter().flatten() {
            let Ok(method) = method.to_uppercase().parse() else {
                continue;
            };
            operations.push(Operation {
                method,
                template: template.clone(),
                spec: spec.clone(),
            });
        }
    }
    operations
}

/// The documented path that `path` is meant by, without a query; a name beats a parameter.
pub fn template_of(path: &str) -> Option<&'static str> {
    let templates = PARSED.get("paths")?.as_object()?.keys();
    let fitting = templates.filter(|template| fits(template, path));
    fitting
        .min_by_key(|template| template.matches('{').count())
        .map(String::as_str)
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path) = (template.split('/'), path.split('/'));
    template.clone().count() == path.clone().count()
        && template
            .zip(path)
            .all(|(want, have)| want.starts_with('{') || want == have)
}

impl Operation {
    /// Its name in the document.
    pub fn id(&self) -> &str {
        self.spec
            .get("operationId")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// Its method and path, as in `POST /api/keys`.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.template)
    }

    /// The example of its body, if it takes one.
    pub fn body(&self) -> Option<Value> {
        let example = "/requestBody/content/application~1json/example";
        self.spec.pointer(example).cloned()
    }

    /// Its answers' statuses, each with the codes that it can have; none for what is no refusal.
    pub fn answers(&self) -> Vec<(u16, Vec<String>)> {
        let codes = "/content/application~1json/schema/properties/code/enum";
        let answers = self.spec.get("responses").and_then(Value::as_object);
        answers
            .into_iter()
            .flatten()
            .filter_map(|(status, answer)| {
                let codes = answer.pointer(codes).and_then(Value::as_array);
                let codes = codes.into_iter().flatten().filter_map(Value::as_str);
                Some((status.parse().ok()?, codes.map(str::to_owned).collect()))
            })
            .collect()
    }

    /// The fields that its body may have at any depth, with their schemas. What has no type is a condition, not a field.
    pub fn fields(&self) -> BTreeMap<String, Value> {
        let mut fields = BTreeMap::new();
        if let Some(body) = self.spec.get("requestBody") {
            collect_fields(body, &mut fields);
        }
        fields
    }

    /// The names of its query's parameters, with their schemas.
    pub fn queries(&self) -> BTreeMap<String, Value> {
        let parameters = self.spec.get("parameters").and_then(Value::as_array);
        let parameters = parameters.into_iter().flatten().map(resolved);
        parameters
            .filter(|one| one.get("in").is_some_and(|place| place == "query"))
            .filter_map(|one| {
                let name = one.get("name")?.as_str()?.to_owned();
                Some((name, one.get("schema").cloned().unwrap_or_default()))
            })
            .collect()
    }

    /// Its path with `value` for each parameter, which is told the segment before it and its own name.
    pub fn path(&self, value: impl Fn(&str, &str) -> String) -> String {
        let mut path = String::new();
        let mut before = "";
        for part in self.template.split('/').skip(1) {
            let name = part
                .strip_prefix('{')
                .and_then(|name| name.strip_suffix('}'));
            path.push('/');
            match name {
                Some(name) => path.push_str(&value(before, name)),
                None => path.push_str(part),
            }
            before = part;
        }
        path
    }
}

/// What stands in the document where a schema refers to.
fn resolved(schema: &Value) -> &Value {
    let place = schema.get("$ref").and_then(Value::as_str);
    let place = place.and_then(|place| place.strip_prefix('#'));
    place
        .and_then(|place| PARSED.pointer(place))
        .map_or(schema, resolved)
}

fn collect_fields(schema: &Value, fields: &mut BTreeMap<String, Value>) {
    match resolved(schema) {
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get("properties") {
                let properties = properties
                    .iter()
                    .filter(|(_, one)| one.get("type").is_some());
                fields.extend(properties.map(|(name, one)| (name.clone(), one.clone())));
            }
            for member in members.values() {
                collect_fields(member, fields);
            }
        }
        Value::Array(members) => members.iter().for_each(|one| collect_fields(one, fields)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_read() {
        let operations = all();
        assert!(operations.len() > 40);
        let link = operations.iter().find(|one| one.id() == "deleteCrmLink");
        let path = link.map(|link| link.path(|before, name| format!("<{before} {name}>")));
        assert_eq!(
            path.as_deref(),
            Some("/api/accounts/<accounts id>/crm-links/<crm-links linkId>")
        );
        let key = operations.iter().find(|one| one.id() == "createApiKey");
        let answers = key.map(Operation::answers).unwrap_or_default();
        assert!(answers.contains(&(201, Vec::new())));
        assert!(answers.contains(&(403, vec!["AUTH_INVALID_KEY".to_owned()])));
        let name = key.and_then(|key| key.body()?.get("name").cloned());
        assert_eq!(name, Some("My Agent Key".into()));
        assert_eq!(
            template_of("/api/accounts/batch"),
            Some("/api/accounts/batch")
        );
        assert_eq!(template_of("/api/accounts/1"), Some("/api/accounts/{id}"));
        assert_eq!(template_of("/nowhere"), None);
        let send = operations.iter().find(|one| one.id() == "sendEmail");
        let fields = send.map(Operation::fields).unwrap_or_default();
        assert_eq!(
            fields.get("uploadId").and_then(|one| one.get("format")),
            Some(&"uuid".into())
        );
        let log = operations.iter().find(|one| one.id() == "listAuditLog");
        let queries = log.map(Operation::queries).unwrap_or_default();
        assert!(queries.contains_key("cursor") && queries.contains_key("entityId"));
    }
}
