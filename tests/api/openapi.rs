//! The description of the API says what the API does: real answers are held against it.

use http::Method;
use serde_json::{Map, Value, json};

use super::rig::{Answer, Rig};

/// A document with the answers that were held against it.
struct Contract {
    document: Value,
}

impl Contract {
    async fn of(rig: &Rig) -> Self {
        Self { document: rig.get("/openapi.json").send().await.expect(200) }
    }

    /// Holds an answer against what the document says of this route and status.
    #[track_caller]
    fn fits(&self, method: &Method, route: &str, answer: &Answer) {
        let status = answer.status.as_u16().to_string();
        let operation = &self.document["paths"][route][method.as_str().to_ascii_lowercase()];
        let response = &operation["responses"][&status];
        assert!(response.is_object(), "{method} {route} may not answer {status}: {:?}", answer.json());
        if status == "204" {
            assert!(response["content"].is_null() && answer.body.is_empty(), "{method} {route} {status}");
            return;
        }
        let media_type = answer.headers["content-type"].to_str().unwrap().split(';').next().unwrap();
        let schema = &response["content"][media_type]["schema"];
        assert!(schema.is_object(), "{method} {route} {status} may not be {media_type}");
        if media_type.ends_with("json") {
            let wrong = self.wrong(schema, &answer.json(), "");
            assert!(wrong.is_empty(), "{method} {route} {status}: {wrong:#?}\n{:#}", answer.json());
        }
    }

    /// What of a value does not fit a schema, or is not described by it.
    fn wrong(&self, schema: &Value, value: &Value, place: &str) -> Vec<String> {
        let schema = self.resolved(schema);
        let mut wrong = Vec::new();
        for choice in ["anyOf", "oneOf"] {
            let Some(choices) = schema[choice].as_array() else { continue };
            let each: Vec<_> = choices.iter().map(|one| self.wrong(one, value, place)).collect();
            let fitting = each.iter().filter(|wrong| wrong.is_empty()).count();
            if fitting == 0 || (choice == "oneOf" && fitting > 1) {
                wrong.push(format!("{place} fits {fitting} of {choice}: {each:?}"));
            }
        }
        if let Some(words) = schema["enum"].as_array().filter(|words| !words.contains(value)) {
            wrong.push(format!("{place} is {value}, not one of {words:?}"));
        }
        let is_of_type = match schema["type"].as_str() {
            None => true,
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("string") => value.is_string(),
            Some("boolean") => value.is_boolean(),
            Some("integer") => value.is_i64() || value.is_u64(),
            Some("number") => value.is_number(),
            Some("null") => value.is_null(),
            Some(other) => panic!("{other} is not a type that this test knows"),
        };
        if !is_of_type {
            wrong.push(format!("{place} is {value}, not {}", schema["type"]));
        }
        if let Some(items) = value.as_array().filter(|_| schema["items"].is_object()) {
            for (index, item) in items.iter().enumerate() {
                wrong.extend(self.wrong(&schema["items"], item, &format!("{place}/{index}")));
            }
        }
        if let (Some(properties), Some(members)) = (schema["properties"].as_object(), value.as_object()) {
            wrong.extend(self.wrong_members(&schema, properties, members, place));
        }
        wrong
    }

    fn wrong_members(
        &self,
        schema: &Value,
        properties: &Map<String, Value>,
        members: &Map<String, Value>,
        place: &str,
    ) -> Vec<String> {
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let missing = required.filter(|name| !members.contains_key(*name));
        let mut wrong: Vec<String> = missing.map(|name| format!("{place}/{name} is missing")).collect();
        for (name, member) in members {
            match properties.get(name) {
                Some(property) => wrong.extend(self.wrong(property, member, &format!("{place}/{name}"))),
                None if schema["additionalProperties"] == true => {}
                None => wrong.push(format!("{place}/{name} is not described")),
            }
        }
        wrong
    }

    /// A schema with its reference followed, and with the parts of `allOf` put together.
    fn resolved(&self, schema: &Value) -> Value {
        if let Some(reference) = schema["$ref"].as_str() {
            let found = self.document.pointer(reference.trim_start_matches('#')).unwrap();
            return self.resolved(found);
        }
        let Some(parts) = schema["allOf"].as_array() else { return schema.clone() };
        let parts: Vec<Value> = parts.iter().map(|part| self.resolved(part)).collect();
        // A choice among the parts is a choice of the whole: each with what all have.
        if let Some(at) = parts.iter().position(|part| part["oneOf"].is_array()) {
            let whole = |choice: &Value| {
                let mut chosen = parts.clone();
                chosen[at] = self.resolved(choice);
                joined(&chosen)
            };
            let choices: Vec<Value> = parts[at]["oneOf"].as_array().unwrap().iter().map(whole).collect();
            return json!({ "oneOf": choices });
        }
        joined(&parts)
    }
}

fn joined(parts: &[Value]) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for part in parts {
        properties.extend(part["properties"].as_object().unwrap().clone());
        required.extend(part["required"].as_array().unwrap().iter().cloned());
    }
    json!({"type": "object", "properties": properties, "required": required})
}

#[tokio::test]
async fn answers_fit_their_description() {
    let rig = Rig::start().await;
    let contract = Contract::of(&rig).await;
    let id = rig.accepted("shop", 1, "anna").await;
    rig.telegram("help", 2, 2, "anybody?").await.expect(200);
    rig.online("boris").await;
    let ask = async |method: Method, route: &str, name: &str, body: Option<Value>| {
        let path = route.replace("/dialogs/{id}", &format!("/dialogs/{id}"));
        let path =
            path.replace("/operators/{id}", "/operators/anna").replace("/lines/{id}", "/lines/support");
        let mut call = rig.call(method.clone(), &path).token(name);
        if let Some(body) = &body {
            call = call.json(body);
        }
        let answer = call.send().await;
        contract.fits(&method, route, &answer);
        answer
    };
    let messages = "/v1/dialogs/{id}/messages";
    ask(
        Method::POST,
        messages,
        "anna",
        Some(json!({"text": "Hi", "buttons": [{"title": "A", "data": "a"}]})),
    )
    .await
    .expect(201);
    ask(Method::POST, messages, "anna", Some(json!({"text": " "}))).await.expect(422);
    ask(Method::POST, messages, "dora", Some(json!({"text": "x"}))).await.expect(404);
    ask(Method::POST, "/v1/dialogs/{id}/typing", "anna", None).await;
    ask(Method::POST, messages, "anna", Some(json!({"attachments": [{"url": "nowhere"}]}))).await.expect(422);
    let upload = rig.post("/v1/attachments?name=a.png").token("anna").header("content-type", "image/png");
    let upload = upload.body("picture").send().await;
    contract.fits(&Method::POST, "/v1/attachments", &upload);
    upload.expect(201);
    let file = super::attachments::a_file_of(&rig, &id, "anna").await;
    let file = rig.get(&format!("/v1/attachments/{file}")).token("anna").send().await;
    contract.fits(&Method::GET, "/v1/attachments/{id}", &file);
    let nothing = rig.get("/v1/attachments/a-1-0-0").token("anna").send().await;
    contract.fits(&Method::GET, "/v1/attachments/{id}", &nothing);
    let nothing = rig.get("/files/x").send().await;
    contract.fits(&Method::GET, "/files/{token}", &nothing);
    ask(Method::POST, "/v1/dialogs/{id}/notes", "crm", Some(json!({"text": "paid"}))).await.expect(201);
    let changes = json!({"priority": "high", "tags": ["vip"], "custom": {"order": 17}});
    ask(Method::PATCH, "/v1/dialogs/{id}", "anna", Some(changes)).await.expect(200);
    ask(Method::POST, "/v1/dialogs/{id}/accept", "boris", None).await.expect(404);
    let to = json!({"to": {"operator": "boris"}, "comment": "asks about the invoice"});
    ask(Method::POST, "/v1/dialogs/{id}/transfer", "anna", Some(to)).await.expect(200);
    ask(Method::POST, "/v1/dialogs/{id}/accept", "boris", None).await.expect(200);
    ask(Method::POST, "/v1/dialogs/{id}/accept", "boris", None).await.expect(409);
    ask(Method::PUT, "/v1/operators/{id}/presence", "anna", Some(json!({"status": "away"})))
        .await
        .expect(200);
    ask(Method::POST, "/v1/dialogs/{id}/close", "boris", None).await.expect(200);
    ask(Method::POST, "/v1/config/reload", "admin", None).await.expect(200);
    for route in [
        "/v1/dialogs",
        "/v1/dialogs/{id}",
        messages,
        "/v1/dialogs/{id}/timeline",
        "/v1/dialogs/{id}/explain",
        "/v1/operators",
        "/v1/lines",
        "/v1/lines/{id}/queue",
        "/v1/deliveries",
        "/v1/config",
        "/healthz",
        "/readyz",
        "/metrics",
        "/docs",
    ] {
        ask(Method::GET, route, "admin", None).await.expect(200);
    }
    for (route, of, name) in [
        ("/v1/explain/{id}", "/v1/dialogs", "/items/0/id"),
        ("/v1/clients/{id}", "/v1/dialogs", "/items/0/client/id"),
        ("/v1/deliveries/{id}", "/v1/deliveries", "/items/0/id"),
    ] {
        let known = rig.get(of).token("admin").send().await.expect(200);
        let known = known.pointer(name).unwrap().as_str().unwrap();
        let answer = rig.get(&route.replace("{id}", known)).token("admin").send().await;
        contract.fits(&Method::GET, route, &answer);
        answer.expect(200);
    }
    ask(Method::GET, "/v1/deliveries", "anna", None).await.expect(403);
    ask(Method::GET, "/v1/lines", "expired", None).await.expect(401);
    rig.node().shared().stopping.cancel();
    ask(Method::GET, "/readyz", "admin", None).await.expect(503);
    rig.stop().await;
}

#[tokio::test]
async fn every_described_parameter_is_one_and_every_example_of_a_body_is_taken() {
    let rig = Rig::start().await;
    let contract = Contract::of(&rig).await;
    let id = rig.accepted("shop", 1, "anna").await;
    for (path, methods) in contract.document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let method: Method = method.to_ascii_uppercase().parse().unwrap();
            let address = path.replace("/dialogs/{id}", &format!("/dialogs/{id}")).replace("{id}", "sales");
            if operation["security"].is_null() {
                continue;
            }
            // A wrong value of a known parameter and an unknown parameter are told apart by their words.
            for parameter in operation["parameters"].as_array().unwrap() {
                if parameter["in"] != "query" {
                    continue;
                }
                let name = parameter["name"].as_str().unwrap();
                let answer =
                    rig.call(method.clone(), &format!("{address}?{name}=&no=1")).token("admin").send().await;
                let problem = answer.json();
                let unknown = |error: &Value| {
                    error["field"] == name && error["detail"] == "is not a parameter of this resource"
                };
                assert!(!problem["errors"].as_array().unwrap().iter().any(unknown), "{path}: {name}");
                assert_eq!(answer.status.as_u16(), 400, "{path}: {name}");
            }
            let body = &operation["requestBody"]["content"]["application/json"];
            if body.is_object() {
                let wrong = contract.wrong(&body["schema"], &body["example"], "");
                assert!(wrong.is_empty(), "{method} {path}: {wrong:?}");
                let call = rig.call(method.clone(), &address).token("admin").json(&body["example"]);
                let answer = call.send().await;
                contract.fits(&method, path, &answer);
                assert_ne!(answer.problem_or_nothing(), "invalid_fields", "{method} {path}");
            }
        }
    }
    rig.stop().await;
}
