use agentwarm_app::ports::health::LeaseCount;
use agentwarm_testkit::memory::health::Condition;
use http::Method;
use serde_json::json;

use super::client::{Api, json as body};

fn leases() -> Condition {
    Condition {
        leases: LeaseCount {
            active: 12,
            total: 54,
        },
        ..Condition::default()
    }
}

#[tokio::test]
async fn liveness_and_readiness_need_no_key() {
    let api = Api::new().await;
    api.world.probes.set(leases());
    let alive = api.send(Method::GET, "/api/healthz", None, "").await;
    assert_eq!(body(&alive), json!({ "status": "ok" }));
    let ready = api.send(Method::GET, "/api/health", None, "").await;
    assert_eq!(ready.status(), 200);
    insta::assert_json_snapshot!(body(&ready), @r#"
    {
      "status": "ok",
      "checks": {
        "database": {
          "status": "ok",
          "latencyMs": 0,
          "backend": "dynamodb"
        },
        "redis": {
          "status": "ok",
          "latencyMs": 0,
          "backend": "sqs"
        },
        "connectionPool": {
          "status": "ok",
          "active": 12,
          "idle": 42,
          "total": 54
        }
      }
    }
    "#);
}

#[tokio::test]
async fn what_does_not_answer_is_named_with_503() {
    let api = Api::new().await;
    api.world.probes.set(Condition {
        queues_down: true,
        ..leases()
    });
    let degraded = api.send(Method::GET, "/api/health", None, "").await;
    assert_eq!(degraded.status(), 503);
    insta::assert_json_snapshot!(body(&degraded), @r#"
    {
      "status": "degraded",
      "checks": {
        "database": {
          "status": "ok",
          "latencyMs": 0,
          "backend": "dynamodb"
        },
        "redis": {
          "status": "error",
          "latencyMs": null,
          "backend": "sqs"
        },
        "connectionPool": {
          "status": "error",
          "active": 0,
          "idle": 0,
          "total": 0
        }
      }
    }
    "#);
}

#[tokio::test]
async fn metrics_are_text_without_names_of_anybody() {
    let api = Api::new().await;
    let id = api.world.warming("hello@example.com").await.to_string();
    let response = api.send(Method::GET, "/metrics", None, "").await;
    assert_eq!(
        response.headers()["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let text = String::from_utf8(response.body().to_vec()).unwrap();
    assert!(text.starts_with("# HELP agentwarm_up"));
    assert!(!text.contains('@') && !text.contains(&id));
}

#[tokio::test]
async fn the_document_is_cached_by_its_tag() {
    let api = Api::new().await;
    let response = api.send(Method::GET, "/api/openapi.json", None, "").await;
    assert!(response.headers().contains_key("etag"));
    assert_eq!(response.headers()["cache-control"], "public, max-age=300");
    assert!(body(&response).is_object());
}

#[tokio::test]
async fn what_agents_read_first_is_public_and_cached() {
    let api = Api::new().await;
    for (path, media, begins) in [
        ("/api/agent/capabilities", "application/json", "{"),
        ("/llms.txt", "text/plain; charset=utf-8", "# AgentWarm"),
        ("/llms-full.txt", "text/plain; charset=utf-8", "# AgentWarm"),
    ] {
        let answer = api.send(Method::GET, path, None, "").await;
        assert_eq!(answer.status(), 200, "{path}");
        let headers = answer.headers();
        assert_eq!(headers["content-type"], media, "{path}");
        assert!(headers.contains_key("etag"), "{path}");
        assert!(
            headers["cache-control"]
                .to_str()
                .unwrap()
                .starts_with("public")
        );
        assert!(answer.body().starts_with(begins.as_bytes()), "{path}");
    }
}

#[tokio::test]
async fn the_documents_page_is_made_of_our_own_files_only() {
    let api = Api::new().await;
    let page = api.send(Method::GET, "/api/docs", None, "").await;
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    insta::assert_snapshot!(page.headers()["content-security-policy"].to_str().unwrap(), @r#"
    default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'
    "#);
    let html = String::from_utf8(page.body().to_vec()).unwrap();
    // What a page asks for by itself, in the order in which it stands there.
    let parts: Vec<_> = html
        .split(['\n', ' '])
        .filter_map(|word| word.strip_prefix("src=\"").or(word.strip_prefix("href=\"")))
        .filter_map(|word| word.split('"').next())
        .collect();
    assert_eq!(
        parts,
        [
            "data:,",
            "docs/swagger-ui.css",
            "openapi.json",
            "../llms-full.txt",
            "docs/swagger-ui-bundle.js",
            "docs/page.js",
        ]
    );
    for (path, media) in [
        ("/api/docs", "text/html; charset=utf-8"),
        ("/api/docs/swagger-ui.css", "text/css; charset=utf-8"),
        (
            "/api/docs/swagger-ui-bundle.js",
            "text/javascript; charset=utf-8",
        ),
        ("/api/docs/page.js", "text/javascript; charset=utf-8"),
    ] {
        let part = api.send(Method::GET, path, None, "").await;
        assert_eq!(part.status(), 200, "{path}");
        assert_eq!(part.headers()["content-type"], media, "{path}");
        assert_eq!(part.headers()["cache-control"], "public, max-age=300");
        assert!(part.headers().contains_key("etag"), "{path}");
        // What Lambda may answer.
        assert!(part.body().len() < 5_000_000, "{path}");
    }
    // From there the document's relative server is found.
    let script = api.send(Method::GET, "/api/docs/page.js", None, "").await;
    let script = String::from_utf8_lossy(script.body()).into_owned();
    assert!(script.contains("url: \"openapi.json\""), "{script}");
    // Nothing else is public there.
    let none = api.send(Method::GET, "/api/docs/index.js", None, "").await;
    assert_eq!(none.status(), 401);
}
