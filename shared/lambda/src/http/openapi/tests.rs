//! The document about the small API of the tests.

use super::super::testing::specs;
use super::*;

const INFO: Info = Info {
    title: "Small",
    version: "1.0.0",
    description: "For tests.",
    server: "https://example.com",
};

#[test]
fn an_operation_says_all_that_it_takes_and_answers() {
    let document = document(&INFO, &specs());
    insta::assert_json_snapshot!(document["paths"]["/api/pools"]["post"], @r##"
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
      },
      "responses": {
        "201": {
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
          }
        },
        "400": {
          "description": "`VALIDATION_FAILED`: try `fix_request_body`.",
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
                      "VALIDATION_FAILED"
                    ]
                  }
                }
              }
            }
          }
        },
        "401": {
          "description": "`AUTH_MISSING_HEADER`: try `add_authorization_bearer_header`. `AUTH_INVALID_FORMAT`: try `use_bearer_token_format`.",
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
                      "AUTH_MISSING_HEADER",
                      "AUTH_INVALID_FORMAT"
                    ]
                  }
                }
              }
            }
          }
        },
        "403": {
          "description": "`AUTH_INVALID_KEY`: try `verify_api_key`.",
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
                      "AUTH_INVALID_KEY"
                    ]
                  }
                }
              }
            }
          }
        },
        "409": {
          "description": "`IDEMPOTENCY_IN_PROGRESS`: try `wait_and_retry_after_header`. `IDEMPOTENCY_KEY_REUSE`: try `use_new_idempotency_key`.",
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
                      "IDEMPOTENCY_IN_PROGRESS",
                      "IDEMPOTENCY_KEY_REUSE"
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
        },
        "413": {
          "description": "`PAYLOAD_TOO_LARGE`: try `send_a_smaller_body`.",
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
                      "PAYLOAD_TOO_LARGE"
                    ]
                  }
                }
              }
            }
          }
        },
        "429": {
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
        },
        "500": {
          "description": "`INTERNAL_ERROR`: try `retry_or_contact_support`.",
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
                      "INTERNAL_ERROR"
                    ]
                  }
                }
              }
            }
          }
        },
        "503": {
          "description": "`PROVIDER_UNAVAILABLE`: try `retry_later`.",
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
                      "PROVIDER_UNAVAILABLE"
                    ]
                  }
                }
              }
            }
          }
        }
      }
    }
    "##);
}

#[test]
fn a_list_has_its_query_parameters() {
    let document = document(&INFO, &specs());
    insta::assert_json_snapshot!(document["paths"]["/api/pools"]["get"]["parameters"], @r##"
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
fn public_operations_say_so() {
    let document = document(&INFO, &specs());
    insta::assert_json_snapshot!(document["paths"]["/llms.txt"]["get"], @r##"
    {
      "operationId": "manual",
      "summary": "Explain",
      "tags": [
        "Pools"
      ],
      "security": [],
      "responses": {
        "200": {
          "description": "The manual.",
          "content": {
            "text/plain": {
              "schema": {
                "type": "string"
              }
            }
          }
        },
        "500": {
          "description": "`INTERNAL_ERROR`: try `retry_or_contact_support`.",
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
                      "INTERNAL_ERROR"
                    ]
                  }
                }
              }
            }
          }
        }
      }
    }
    "##);
}

#[test]
fn schemas_are_shared_and_in_order() {
    let document = document(&INFO, &specs());
    insta::assert_json_snapshot!(document["components"]["schemas"], @r##"
    {
      "CreatePoolRequest": {
        "type": "object",
        "properties": {
          "name": {
            "type": "string",
            "minLength": 1,
            "maxLength": 100,
            "description": "What people call it."
          },
          "size": {
            "type": "integer",
            "minimum": 1,
            "maximum": 9,
            "default": 2
          }
        },
        "required": [
          "name"
        ]
      },
      "Error": {
        "type": "object",
        "properties": {
          "error": {
            "type": "string",
            "description": "What went wrong, for people."
          },
          "code": {
            "type": "string",
            "description": "What went wrong, for machines: branch on this."
          },
          "statusCode": {
            "type": "integer",
            "format": "uint16",
            "minimum": 400,
            "maximum": 599,
            "description": "The HTTP status."
          },
          "action": {
            "type": "string",
            "description": "What to try next."
          },
          "requestId": {
            "type": "string",
            "description": "Names this request in our logs."
          },
          "errors": {
            "type": "array",
            "items": {
              "$ref": "#/components/schemas/FieldError"
            },
            "description": "Every part of the input that is wrong."
          },
          "details": {
            "type": "object",
            "additionalProperties": true,
            "description": "The numbers behind it, such as those of a plan's limit."
          }
        },
        "required": [
          "error",
          "code",
          "statusCode",
          "action",
          "requestId"
        ],
        "description": "The body of every error."
      },
      "FieldError": {
        "type": "object",
        "properties": {
          "path": {
            "type": "string",
            "description": "Where: `credentials.imapPort`, `accounts[3].email`, a query parameter's or a header's name, or `body`."
          },
          "message": {
            "type": "string",
            "description": "What is wrong with it, to be read after the path."
          }
        },
        "required": [
          "path",
          "message"
        ],
        "description": "One part of the input that is wrong."
      },
      "Pool": {
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
    }
    "##);
}

#[test]
fn the_order_of_the_tables_does_not_matter() {
    let mut reversed = specs();
    reversed.reverse();
    let text = |routes: &[RouteSpec]| document(&INFO, routes).to_string();
    assert_eq!(text(&specs()), text(&reversed));
}
