//! The document as one page of HTML, for people. It loads nothing and runs nothing.

use serde_json::{Map, Value};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;\
color:#1a1a1a;background:#fff}h2{margin-top:2.5rem;border-bottom:1px solid #ccc}h3{font-family:monospace}\
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;\
border-bottom:1px solid #eee}pre{background:#f5f5f5;padding:.75rem;overflow:auto}\
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}pre{background:#242424}td,th{border-color:#333}}";

/// The page of a document.
pub(super) fn html(document: &Value) -> String {
    let mut page = String::from("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">");
    page.push_str(
        "<meta name=\"viewport\" content=\"width=device-width\"><title>Switchboard API</title><style>",
    );
    page.push_str(STYLE);
    page.push_str("</style></head><body><h1>Switchboard API</h1>");
    paragraph(&mut page, text_of(at(document, "/info"), "description"));
    page.push_str("<p>For programs: <a href=\"/openapi.json\">/openapi.json</a> (OpenAPI 3.1).</p>");
    page.push_str("<h2>Routes</h2>");
    for (path, methods) in members(at(document, "/paths")) {
        for (method, operation) in members(methods) {
            route(&mut page, &method.to_ascii_uppercase(), path, operation);
        }
    }
    page.push_str("<h2>Shapes</h2>");
    for (name, schema) in members(at(document, "/components/schemas")) {
        page.push_str("<h3 id=\"");
        escape(&mut page, name);
        page.push_str("\">");
        escape(&mut page, name);
        page.push_str("</h3>");
        code(&mut page, schema);
    }
    page.push_str("</body></html>");
    page
}

fn route(page: &mut String, method: &str, path: &str, operation: &Value) {
    page.push_str("<h3>");
    escape(page, &format!("{method} {path}"));
    page.push_str("</h3>");
    paragraph(page, text_of(operation, "summary"));
    if let Some(parameters) = at(operation, "/parameters").as_array().filter(|list| !list.is_empty()) {
        page.push_str("<table><tr><th>parameter</th><th>in</th><th>meaning</th></tr>");
        for one in parameters {
            row(page, &[text_of(one, "name"), text_of(one, "in"), text_of(one, "description")]);
        }
        page.push_str("</table>");
    }
    let body = at(operation, "/requestBody/content/application~1json");
    if at(body, "/schema/properties").as_object().is_none_or(|properties| !properties.is_empty())
        && body.is_object()
    {
        page.push_str("<p>Body, for example:</p>");
        code(page, at(body, "/example"));
    }
    page.push_str("<table><tr><th>status</th><th>meaning</th><th>body</th></tr>");
    for (status, response) in members(at(operation, "/responses")) {
        let bodies: Vec<String> = members(at(response, "/content"))
            .map(|(media_type, content)| match name_of(at(content, "/schema")) {
                Some(name) => format!("{media_type}: {name}"),
                None => media_type.clone(),
            })
            .collect();
        row(page, &[status, text_of(response, "description"), &bodies.join(", ")]);
    }
    page.push_str("</table>");
}

/// The named shape of a schema, with a word for pages and new states.
fn name_of(schema: &Value) -> Option<String> {
    let last = |reference: &Value| reference.as_str()?.rsplit('/').next().map(str::to_owned);
    last(at(schema, "/$ref"))
        .or_else(|| last(at(schema, "/allOf/0/$ref")).map(|name| format!("{name} with seq")))
        .or_else(|| last(at(schema, "/properties/items/items/$ref")).map(|name| format!("a page of {name}")))
}

/// What stands at a JSON Pointer; null when there is nothing.
fn at<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn text_of<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn paragraph(page: &mut String, text: &str) {
    page.push_str("<p>");
    escape(page, text);
    page.push_str("</p>");
}

fn row(page: &mut String, cells: &[&str]) {
    page.push_str("<tr>");
    for cell in cells {
        page.push_str("<td>");
        escape(page, cell);
        page.push_str("</td>");
    }
    page.push_str("</tr>");
}

fn code(page: &mut String, value: &Value) {
    page.push_str("<pre>");
    escape(page, &serde_json::to_string_pretty(value).unwrap_or_default());
    page.push_str("</pre>");
}

fn escape(page: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => page.push_str("&amp;"),
            '<' => page.push_str("&lt;"),
            '>' => page.push_str("&gt;"),
            '"' => page.push_str("&quot;"),
            _ => page.push(character),
        }
    }
}
