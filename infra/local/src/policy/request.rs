//! Which permissions a request to AWS needs, read off the request itself.
//!
//! All services that we use but S3 speak AWS's JSON protocols: the operation is in `x-amz-target`, its arguments are the body. So one
//! reader serves them all, and it sees exactly what the service would see. S3's operation is the method and the path. Sources: the
//! service authorization reference of each service; for transactions and batches "Using IAM with transactions" in the DynamoDB developer
//! guide.

use std::collections::BTreeSet;

use serde_json::Value;

/// An action on a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// Such as `dynamodb:PutItem`.
    pub action: String,
    /// An ARN; `None` where the service itself works out the resource (a KMS ciphertext names its key).
    pub resource: Option<String>,
}

/// Whose resources names without an ARN are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The region.
    pub region: String,
    /// The account.
    pub account: String,
}

/// A request whose needs cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the local permission check cannot judge {0}: teach it in infra/local/src/policy/request.rs"
)]
pub struct Unjudged(pub String);

impl Scope {
    /// What the operation `target` (the header `x-amz-target`) with `body` needs.
    pub fn needs(&self, target: &str, body: &Value) -> Result<BTreeSet<Need>, Unjudged> {
        let unjudged = || Unjudged(target.to_owned());
        let (service, operation) = target.split_once('.').ok_or_else(unjudged)?;
        let found = match service {
            "DynamoDB_20120810" => self.dynamodb(operation, body),
            "AmazonSQS" => self.sqs(operation, body),
            "AWSEvents" => self.events(operation, body),
            "TrentService" => self.kms(operation, body),
            _ => None,
        };
        found.filter(|needs| !needs.is_empty()).ok_or_else(unjudged)
    }

    /// What S3 needs for a request with this method to this path, which names the bucket first. Presigning one needs the same.
    pub fn object_needs(&self, method: &str, path: &str) -> Result<BTreeSet<Need>, Unjudged> {
        let unjudged = || Unjudged(format!("{method} {path}"));
        let on = |action: &str, resource: &str| Need {
            action: action.to_owned(),
            resource: Some(format!("arn:aws:s3:::{resource}")),
        };
        let object = path.strip_prefix('/').ok_or_else(unjudged)?;
        match (method, object.split_once('/')) {
            ("PUT", Some((_, key))) if !key.is_empty() => {
                Ok(BTreeSet::from([on("s3:PutObject", object)]))
            }
            // Without the second an object that is not there is refused instead of not found.
            ("GET" | "HEAD", Some((bucket, key))) if !key.is_empty() => Ok(BTreeSet::from([
                on("s3:GetObject", object),
                on("s3:ListBucket", bucket),
            ])),
            _ => Err(unjudged()),
        }
    }

    fn dynamodb(&self, operation: &str, body: &Value) -> Option<BTreeSet<Need>> {
        match operation {
            "TransactWriteItems" | "TransactGetItems" => body
                .get("TransactItems")?
                .as_array()?
                .iter()
                .flat_map(|item| item.as_object().into_iter().flatten())
                .map(|(kind, request)| {
                    let action = match kind.as_str() {
                        "Put" => "PutItem",
                        "Update" => "UpdateItem",
                        "Delete" => "DeleteItem",
                        "ConditionCheck" => "ConditionCheckItem",
                        "Get" => "GetItem",
                        _ => return None,
                    };
                    Some(self.on_table(action, request.get("TableName")?.as_str()?, None))
                })
                .collect(),
            "BatchGetItem" | "BatchWriteItem" => Some(
                body.get("RequestItems")?
                    .as_object()?
                    .keys()
                    .map(|table| self.on_table(operation, table, None))
                    .collect(),
            ),
            _ => {
                let index = body.get("IndexName").and_then(Value::as_str);
                let table = body.get("TableName")?.as_str()?;
                Some(BTreeSet::from([self.on_table(operation, table, index)]))
            }
        }
    }

    fn on_table(&self, operation: &str, table: &str, index: Option<&str>) -> Need {
        let mut resource = if table.starts_with("arn:") {
            table.to_owned()
        } else {
            self.arn("dynamodb", &format!("table/{table}"))
        };
        if let Some(index) = index {
            resource.push_str("/index/");
            resource.push_str(index);
        }
        Need {
            action: format!("dynamodb:{operation}"),
            resource: Some(resource),
        }
    }

    fn sqs(&self, operation: &str, body: &Value) -> Option<BTreeSet<Need>> {
        let name = match body.get("QueueUrl") {
            Some(url) => url.as_str()?.rsplit('/').next()?,
            None => body.get("QueueName")?.as_str()?,
        };
        Some(BTreeSet::from([Need {
            // A batch needs the permission of its single form.
            action: format!(
                "sqs:{}",
                operation.strip_suffix("Batch").unwrap_or(operation)
            ),
            resource: Some(self.arn("sqs", name)),
        }]))
    }

    fn events(&self, operation: &str, body: &Value) -> Option<BTreeSet<Need>> {
        if operation != "PutEvents" {
            return None;
        }
        Some(
            body.get("Entries")?
                .as_array()?
                .iter()
                .map(|entry| {
                    let bus = entry
                        .get("EventBusName")
                        .and_then(Value::as_str)
                        .unwrap_or("default");
                    Need {
                        action: "events:PutEvents".to_owned(),
                        resource: Some(if bus.starts_with("arn:") {
                            bus.to_owned()
                        } else {
                            self.arn("events", &format!("event-bus/{bus}"))
                        }),
                    }
                })
                .collect(),
        )
    }

    /// IAM never grants by alias, so an alias is shown as what it is and matches no key.
    fn kms(&self, operation: &str, body: &Value) -> Option<BTreeSet<Need>> {
        let resource = match body.get("KeyId").and_then(Value::as_str) {
            None if operation == "Decrypt" => None,
            None => return None,
            Some(arn) if arn.starts_with("arn:") => Some(arn.to_owned()),
            Some(alias) if alias.starts_with("alias/") => Some(self.arn("kms", alias)),
            Some(id) => Some(self.arn("kms", &format!("key/{id}"))),
        };
        Some(BTreeSet::from([Need {
            action: format!("kms:{operation}"),
            resource,
        }]))
    }

    fn arn(&self, service: &str, resource: &str) -> String {
        format!(
            "arn:aws:{service}:{}:{}:{resource}",
            self.region, self.account
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn needs(target: &str, body: &Value) -> Vec<String> {
        let scope = Scope {
            region: "r".to_owned(),
            account: "a".to_owned(),
        };
        scope
            .needs(target, body)
            .unwrap()
            .into_iter()
            .map(|need| format!("{} {}", need.action, need.resource.unwrap_or_default()))
            .collect()
    }

    #[test]
    fn single_requests_need_their_own_action() {
        assert_eq!(
            needs(
                "DynamoDB_20120810.Query",
                &json!({"TableName": "t", "IndexName": "i"})
            ),
            ["dynamodb:Query arn:aws:dynamodb:r:a:table/t/index/i"]
        );
        assert_eq!(
            needs(
                "AmazonSQS.SendMessageBatch",
                &json!({"QueueUrl": "http://127.0.0.1:4566/a/q"})
            ),
            ["sqs:SendMessage arn:aws:sqs:r:a:q"]
        );
        assert_eq!(
            needs("TrentService.Decrypt", &json!({"CiphertextBlob": "…"})),
            ["kms:Decrypt "]
        );
        assert_eq!(
            needs("TrentService.GenerateDataKey", &json!({"KeyId": "alias/x"})),
            ["kms:GenerateDataKey arn:aws:kms:r:a:alias/x"]
        );
        assert_eq!(
            needs(
                "AWSEvents.PutEvents",
                &json!({"Entries": [{"EventBusName": "b"}, {}]})
            ),
            [
                "events:PutEvents arn:aws:events:r:a:event-bus/b",
                "events:PutEvents arn:aws:events:r:a:event-bus/default"
            ]
        );
    }

    #[test]
    fn transactions_need_what_they_are_made_of() {
        let body = json!({"TransactItems": [
            {"Put": {"TableName": "t"}}, {"Update": {"TableName": "t"}},
            {"Delete": {"TableName": "u"}}, {"ConditionCheck": {"TableName": "t"}},
        ]});
        assert_eq!(
            needs("DynamoDB_20120810.TransactWriteItems", &body),
            [
                "dynamodb:ConditionCheckItem arn:aws:dynamodb:r:a:table/t",
                "dynamodb:DeleteItem arn:aws:dynamodb:r:a:table/u",
                "dynamodb:PutItem arn:aws:dynamodb:r:a:table/t",
                "dynamodb:UpdateItem arn:aws:dynamodb:r:a:table/t",
            ]
        );
        assert_eq!(
            needs(
                "DynamoDB_20120810.BatchWriteItem",
                &json!({"RequestItems": {"t": [], "u": []}})
            ),
            [
                "dynamodb:BatchWriteItem arn:aws:dynamodb:r:a:table/t",
                "dynamodb:BatchWriteItem arn:aws:dynamodb:r:a:table/u",
            ]
        );
    }

    #[test]
    fn objects_are_named_by_their_path() {
        let scope = Scope {
            region: "r".to_owned(),
            account: "a".to_owned(),
        };
        let needs = |method, path| {
            let found = scope.object_needs(method, path).ok()?;
            let told = found
                .into_iter()
                .map(|need| format!("{} {}", need.action, need.resource.unwrap_or_default()));
            Some(told.collect::<Vec<_>>())
        };
        let put = "s3:PutObject arn:aws:s3:::b/a/k".to_owned();
        assert_eq!(needs("PUT", "/b/a/k"), Some(vec![put]));
        let get = "s3:GetObject arn:aws:s3:::b/a/k".to_owned();
        let list = "s3:ListBucket arn:aws:s3:::b".to_owned();
        assert_eq!(
            needs("HEAD", "/b/a/k"),
            Some(vec![get.clone(), list.clone()])
        );
        assert_eq!(needs("GET", "/b/a/k"), Some(vec![get, list]));
        for (method, path) in [
            ("GET", "/b"),
            ("GET", "/b/"),
            ("DELETE", "/b/k"),
            ("PUT", "b"),
        ] {
            assert_eq!(needs(method, path), None, "{method} {path}");
        }
    }

    #[test]
    fn what_cannot_be_judged_is_refused() {
        let scope = Scope {
            region: "r".to_owned(),
            account: "a".to_owned(),
        };
        for (target, body) in [
            ("GetItem", json!({"TableName": "t"})),
            ("Other.Do", json!({})),
            ("DynamoDB_20120810.GetItem", json!({})),
            (
                "DynamoDB_20120810.TransactWriteItems",
                json!({"TransactItems": []}),
            ),
            ("AWSEvents.PutRule", json!({})),
        ] {
            assert!(scope.needs(target, &body).is_err(), "{target}");
        }
    }
}
