//! Any page may call the API, so any page may upload the files of its mails: S3 refuses a browser's preflight unless the bucket says so.

use agentwarm_local::template::Template;
use serde_json::{Value, json};

/// What a page needs of the bucket. Two hours are the longest that Chromium remembers a preflight, as for the API.
const RULES: &str = "
      CorsConfiguration:
        CorsRules:
          - AllowedHeaders: ['*']
            AllowedMethods: [PUT]
            AllowedOrigins: ['*']
            MaxAge: 7200";

/// The buckets that pages cannot put files into, or may do more with.
pub(crate) fn complaints(template: &Template) -> Vec<String> {
    let wanted = json!([{
        "AllowedHeaders": ["*"],
        "AllowedMethods": ["PUT"],
        "AllowedOrigins": ["*"],
        "MaxAge": 7200,
    }]);
    template
        .of_kind("AWS::S3::Bucket")
        .filter(|(_, bucket)| {
            let cors = bucket.properties.get("CorsConfiguration");
            cors.and_then(|cors| cors.get("CorsRules")) != Some::<&Value>(&wanted)
        })
        .map(|(id, _)| format!("template.yaml: pages cannot put files into {id}; paste{RULES}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_pasted_is_enough() {
        let bucket = "Resources:\n  Files:\n    Type: AWS::S3::Bucket\n    Properties:";
        let complaints = |rules: &str| {
            let template = Template::parse(&format!("{bucket}{rules}")).expect("a template");
            complaints(&template)
        };
        assert_eq!(complaints(RULES), [""; 0]);
        for rules in [" {}".to_owned(), RULES.replace("PUT", "GET")] {
            assert!(complaints(&rules)[0].contains("into Files"));
        }
    }
}
