//! The OpenAPI document of an interface, from the same table that routes its requests.

use crate::input::WHOLE_BODY;
use crate::routes::{Documented, Routes};
use doorward_wire::{Api, Auth, Envelope};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// The document (OpenAPI 3.1).
pub fn document(routes: &Routes) -> Value {
    let mut generator = SchemaSettings::draft2020_12().with(|s| s.definitions_path = "/components/schemas".into()).into_generator();
    let mut paths: Map<String, Value> = Map::new();
    for endpoint in routes.documented() {
        let response = (endpoint.response)(&mut generator);
        let operation = operation(endpoint, response.to_value());
        let path = paths.entry(endpoint.meta.path.to_owned()).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(endpoint.meta.method.to_ascii_lowercase(), operation);
        }
    }
    let mut schemas = generator.take_definitions(true);
    schemas.insert("Errors".to_owned(), errors_schema());
    let title = match routes.api() {
        Api::Frontend => "Doorward Frontend API",
        Api::Backend => "Doorward Backend API",
    };
    json!({
        "openapi": "3.1.0",
        "info": {"title": title, "version": env!("CARGO_PKG_VERSION")},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "secret_key": {"type": "http", "scheme": "bearer"},
                "client": {"type": "apiKey", "in": "cookie", "name": "__client"},
            },
        },
    })
}

fn errors_schema() -> Value {
    json!({
        "type": "object",
        "required": ["errors"],
        "properties": {
            "errors": {"type": "array", "items": {
                "type": "object",
                "required": ["code", "message", "long_message"],
                "properties": {
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                    "long_message": {"type": "string"},
                    "meta": {"type": "object"},
                },
            }},
            "clerk_trace_id": {"type": "string"},
        },
    })
}

fn operation(endpoint: &Documented, response: Value) -> Value {
    let meta = &endpoint.meta;
    let request = (endpoint.request)().to_value();
    let properties = request.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let in_path: Vec<&str> = meta.path_params().collect();
    let mut parameters = Vec::new();
    let mut body = Map::new();
    for (name, mut schema) in properties {
        let description = schema.as_object_mut().and_then(|s| s.remove("description")).unwrap_or(Value::Null);
        if in_path.contains(&name.as_str()) {
            parameters.push(json!({"name": name, "in": "path", "required": true, "description": description, "schema": schema}));
        } else if meta.method == "GET" {
            parameters.push(json!({"name": name, "in": "query", "required": false, "description": description, "schema": schema}));
        } else {
            if let Some(fields) = schema.as_object_mut() {
                fields.insert("description".to_owned(), description);
            }
            body.insert(name, schema);
        }
    }
    if meta.api == Api::Frontend && matches!(meta.auth, Auth::Session | Auth::AnySession) {
        let description = "The session that is meant, where the client has several; else the one that was active last.";
        let schema = json!({"type": "string"});
        parameters
            .push(json!({"name": "_clerk_session_id", "in": "query", "required": false, "description": description, "schema": schema}));
    }
    let mut out = json!({
        "operationId": meta.id,
        "summary": meta.summary,
        "tags": [meta.tag],
        "parameters": parameters,
        "responses": responses(meta.envelope, response),
    });
    if let Some(fields) = out.as_object_mut() {
        if !body.is_empty() {
            let file = body.values().any(|schema| schema.get("format").and_then(Value::as_str) == Some("binary"));
            let kind = if file {
                "multipart/form-data"
            } else if meta.api == Api::Frontend {
                "application/x-www-form-urlencoded"
            } else {
                "application/json"
            };
            let whole = body.values().find(|schema| schema.get(WHOLE_BODY).is_some()).cloned();
            let schema = whole.unwrap_or_else(|| json!({"type": "object", "properties": body}));
            fields.insert("requestBody".to_owned(), json!({"content": {kind: {"schema": schema}}}));
        }
        let security = match meta.auth {
            Auth::Public | Auth::Foreign => json!([]),
            Auth::Client => json!([{"client": []}, {}]),
            Auth::Session | Auth::AnySession => json!([{"client": []}]),
            Auth::SecretKey => json!([{"secret_key": []}]),
        };
        fields.insert("security".to_owned(), security);
    }
    out
}

fn responses(envelope: Envelope, response: Value) -> Value {
    let content = |schema: Value| json!({"description": "Done.", "content": {"application/json": {"schema": schema}}});
    let wrapped = |client: Value| {
        content(json!({"type": "object", "required": ["response", "client"], "properties": {"response": response, "client": client}}))
    };
    let errors = json!({"description": "What is wrong, by code.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Errors"}}}});
    match envelope {
        Envelope::Raw => json!({"200": {"description": "A page."}, "307": {"description": "A redirect."}, "4XX": errors}),
        Envelope::Nothing => json!({"204": {"description": "Done."}, "4XX": errors}),
        Envelope::Bare => json!({"200": content(response.clone()), "4XX": errors}),
        Envelope::WithClient => {
            json!({"200": wrapped(json!({"anyOf": [{"$ref": "#/components/schemas/Client"}, {"type": "null"}]})), "4XX": errors})
        }
        Envelope::NullClient => json!({"200": wrapped(json!({"type": "null"})), "4XX": errors}),
    }
}
