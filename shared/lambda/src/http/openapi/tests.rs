//! The document about the small API of the tests.

use super::super::testing::specs;
use super::*;

const INFO: Info = Info {
    title: "Small",
    version: "1.0.0",
    description: "For tests.",
    server: "https://example.com",
};

fn operation(path: &str, method: &str) -> Value {
    document(&INFO, &specs())["paths"][path][method].take()
}

/// Statuses, and the codes that each may mean.
fn codes(operation: &Value) -> String {
    let mut lines = String::new();
    for (status, response) in operation["responses"].as_object().unwrap() {
        let schema = &response["content"]["application/json"]["schema"];
        let codes = schema["properties"]["code"]["enum"].as_array();
        lines += status;
        for code in codes.into_iter().flatten() {
            lines += " ";
            lines += code.as_str().unwrap();
        }
        lines += "\n";
    }
    lines
}

/// So that a document is about the deployment that served it, under whatever host and stage.
#[test]
fn the_first_server_is_where_the_document_came_from() {
    let servers = document(&INFO, &specs())["servers"].take();
    let urls: Vec<_> = servers
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["url"])
        .collect();
    assert_eq!(urls, ["..", "https://example.com"]);
}

#[test]
fn an_operation_says_what_it_takes() {
    let mut operation = operation("/api/pools", "post");
    operation.as_object_mut().unwrap().remove("responses");
    insta::assert_json_snapshot!(operation, @r##"
    {
      "operationId": "createPool",
      "summary": "Create a pool",
      "tags": [
        "Pools"
      ],
      "parameters": [
        {
          "$ref": "#/components/parameters/IdempotencyKey"
        }
      ],
      "requestBody": {
        "required": true,
        "content": {
          "application/json": {
            "schema": {
              "$ref": "#/components/schemas/CreatePoolRequest"
            },
            "example": {
              "name": "Sales"
            }
          }
        }
      }
    }
    "##);
}

#[test]
fn an_operation_says_what_it_answers() {
    insta::assert_json_snapshot!(operation("/api/pools", "post")["responses"]["201"], @r##"
    {
      "description": "The new pool.",
      "headers": {
        "RateLimit-Limit": {
          "$ref": "#/components/headers/RateLimitLimit"
        },
        "RateLimit-Remaining": {
          "$ref": "#/components/headers/RateLimitRemaining"
        },
        "RateLimit-Reset": {
          "$ref": "#/components/headers/RateLimitReset"
        }
      },
      "content": {
        "application/json": {
          "schema": {
            "$ref": "#/components/schemas/Pool"
          },
          "example": {
            "id": "00000000-0000-0000-0000-000000000003",
            "name": "Sales",
            "size": 2
          }
        }
      },
      "links": {
        "getPool": {
          "operationId": "getPool",
          "parameters": {
            "poolId": "$response.body#/id"
          }
        }
      }
    }
    "##);
}

#[test]
fn an_operation_names_every_code_that_it_can_answer() {
    insta::assert_snapshot!(codes(&operation("/api/pools", "post")), @"
    201
    400 VALIDATION_FAILED
    401 AUTH_MISSING_HEADER AUTH_INVALID_FORMAT
    403 AUTH_INVALID_KEY
    409 IDEMPOTENCY_IN_PROGRESS IDEMPOTENCY_KEY_REUSE
    413 PAYLOAD_TOO_LARGE
    429 RATE_LIMIT_EXCEEDED
    500 INTERNAL_ERROR
    503 PROVIDER_UNAVAILABLE
    ");
    insta::assert_snapshot!(codes(&operation("/api/pools/{poolId}", "get")), @"
    200
    401 AUTH_MISSING_HEADER AUTH_INVALID_FORMAT
    403 AUTH_INVALID_KEY
    404 NOT_FOUND WARMUP_POOL_NOT_FOUND
    429 RATE_LIMIT_EXCEEDED
    500 INTERNAL_ERROR
    503 PROVIDER_UNAVAILABLE
    ");
    insta::assert_snapshot!(codes(&operation("/llms.txt", "get")), @"
    200
    500 INTERNAL_ERROR
    ");
}

#[test]
fn an_error_is_the_shared_shape_with_these_codes() {
    insta::assert_json_snapshot!(operation("/api/pools", "post")["responses"]["429"], @r##"
    {
      "description": "`RATE_LIMIT_EXCEEDED`: try `wait_and_retry_after_header`.",
      "content": {
        "application/json": {
          "schema": {
            "allOf": [
              {
                "$ref": "#/components/schemas/Error"
              }
            ],
            "properties": {
              "code": {
                "enum": [
                  "RATE_LIMIT_EXCEEDED"
                ]
              }
            }
          }
        }
      },
      "headers": {
        "Retry-After": {
          "$ref": "#/components/headers/RetryAfter"
        }
      }
    }
    "##);
}

#[test]
fn a_list_has_its_query_parameters() {
    insta::assert_json_snapshot!(operation("/api/pools", "get")["parameters"], @r##"
    [
      {
        "name": "limit",
        "in": "query",
        "required": false,
        "schema": {
          "type": "integer",
          "minimum": 1,
          "maximum": 200,
          "default": 50
        }
      },
      {
        "name": "offset",
        "in": "query",
        "required": false,
        "schema": {
          "type": "integer",
          "minimum": 0,
          "maximum": 10000,
          "default": 0
        },
        "description": "How many items to skip. Prefer the cursor."
      },
      {
        "name": "cursor",
        "in": "query",
        "required": false,
        "schema": {
          "type": "string",
          "minLength": 1,
          "maxLength": 2048
        },
        "description": "The nextCursor of the page before."
      }
    ]
    "##);
}

#[test]
fn ids_in_a_path_are_uuids() {
    insta::assert_json_snapshot!(operation("/api/pools/{poolId}", "get")["parameters"], @r##"
    [
      {
        "name": "poolId",
        "in": "path",
        "required": true,
        "schema": {
          "type": "string",
          "format": "uuid"
        }
      }
    ]
    "##);
}

#[test]
fn only_public_operations_need_no_key() {
    let document = document(&INFO, &specs());
    assert_eq!(document["security"], json!([{ "apiKey": [] }]));
    assert_eq!(document["paths"]["/llms.txt"]["get"]["security"], json!([]));
    assert_eq!(
        document["paths"]["/api/pools"]["get"]["security"],
        Value::Null
    );
}

#[test]
fn schemas_are_shared() {
    let schemas = document(&INFO, &specs())["components"]["schemas"].take();
    let names: Vec<_> = schemas.as_object().unwrap().keys().collect();
    assert_eq!(names, ["CreatePoolRequest", "Error", "FieldError", "Pool"]);
    insta::assert_json_snapshot!(schemas["Pool"], @r##"
    {
      "type": "object",
      "properties": {
        "id": {
          "type": "string",
          "format": "uuid",
          "description": "Its id."
        },
        "name": {
          "type": "string"
        },
        "size": {
          "type": "integer",
          "format": "uint32",
          "minimum": 0
        }
      },
      "required": [
        "id",
        "name",
        "size"
      ]
    }
    "##);
}

#[test]
fn the_error_schema_has_what_every_error_has() {
    let error = document(&INFO, &specs())["components"]["schemas"]["Error"].take();
    let required = json!(["error", "code", "statusCode", "action", "requestId"]);
    assert_eq!(error["required"], required);
}

#[test]
fn the_order_of_the_tables_does_not_matter() {
    let mut reversed = specs();
    reversed.reverse();
    let text = |routes: &[RouteSpec]| document(&INFO, routes).to_string();
    assert_eq!(text(&specs()), text(&reversed));
}
