//! The documented operations, as requests: made from `docs/openapi.json`, so that a new one is tested and measured by being there.

use http::Method;
use serde_json::Value;

const DOCUMENT: &str = include_str!("../../docs/openapi.json");

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

/// All of them, in the document's order.
pub fn all() -> Vec<Operation> {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap_or_default();
    let paths = document.get("paths").and_then(Value::as_object);
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
        let name = key.and_then(|key| key.body()?.get("name").cloned());
        assert_eq!(name, Some("My Agent Key".into()));
    }
}
