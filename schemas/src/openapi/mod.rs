//! The relay's HTTP API as an OpenAPI 3.1 document, made from one table of operations ([`OPERATIONS`]).
//!
//! The table is data rather than annotations on handlers: a client has it too, and a test can walk it and call every
//! operation. Bodies are CBOR and named by their document's label or by their type in [`crate::api`]; only the JSON
//! ones have a schema. Not here: what the fields of documents are (they are not JSON).

mod operations;

pub use operations::OPERATIONS;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::api::{About, MAX_BODY_BYTES, Problem};
use crate::blob::MAX_CHUNKS;
use crate::request::{DEVICE_HEADER, DIGEST_HEADER, IDEMPOTENCY_HEADER, SIGNATURE_HEADER, SIGNATURE_INPUT_HEADER};

/// An HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Adds.
    Post,
    /// Puts in a place that the caller names.
    Put,
    /// Takes away.
    Delete,
}

impl Method {
    /// `GET`, `POST`, `PUT` or `DELETE`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// Whose signature a request must carry ([`crate::request`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// None.
    Nobody,
    /// A device's `sig` key.
    MainKey,
    /// A device's `sig` or `alarm` key: works with the vault locked.
    AnyKey,
    /// The `sig` key of the identity in the body, which the relay does not know yet.
    NewDevice,
}

/// What a success brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Nothing.
    Empty,
    /// A signed document of this label.
    Document(&'static str),
    /// A CBOR structure of [`crate::api`].
    Structure(&'static str),
    /// [`About`] in JSON.
    Json,
    /// A word.
    Plain,
    /// Server-sent events, see [`crate::api::LiveEvent`].
    Stream,
}

/// One operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// How.
    pub method: Method,
    /// Where, with parameters in braces.
    pub path: &'static str,
    /// Its name, used once.
    pub id: &'static str,
    /// Whose signature it needs.
    pub by: By,
    /// What it does.
    pub summary: &'static str,
    /// What the request's body is, if it has one.
    pub body: Option<&'static str>,
    /// Parameters of the query, all of them optional.
    pub query: &'static [&'static str],
    /// What a success brings.
    pub answer: Answer,
    /// Status and code of the refusals that are its own; [`Operation::all_refusals`] adds those it shares.
    pub refusals: &'static [(u16, &'static str)],
}

impl Operation {
    /// Every refusal that a caller can run into, by status.
    pub fn all_refusals(&self) -> BTreeMap<u16, Vec<&'static str>> {
        let mut shared = vec![(503, "busy"), (503, "stopping"), (500, "internal")];
        if self.path.contains('{') {
            shared.extend([(400, "bad_address"), (404, "not_found")]);
        }
        if !self.query.is_empty() {
            shared.push((400, "bad_address"));
        }
        if self.by != By::Nobody {
            shared.extend([(401, "unsigned"), (401, "bad_signature")]);
        }
        match self.by {
            By::Nobody => {}
            By::MainKey => shared.extend([(401, "unknown_device"), (403, "alarm_key")]),
            By::AnyKey => shared.push((401, "unknown_device")),
            By::NewDevice => shared.push((403, "alarm_key")),
        }
        if self.body.is_some() {
            shared.extend([(408, "too_slow"), (413, "too_large")]);
            shared.extend(["malformed", "wrong_document", "rule_broken", "bad_signature"].map(|code| (422, code)));
        }
        if self.method != Method::Get {
            shared.extend([(503, "outcome_unknown"), (507, "disk_full")]);
            if self.by != By::Nobody {
                shared.push((409, "idempotency_conflict"));
            }
        }
        let mut all: BTreeMap<u16, Vec<&'static str>> = BTreeMap::new();
        for (status, code) in self.refusals.iter().copied().chain(shared) {
            let codes = all.entry(status).or_default();
            if !codes.contains(&code) {
                codes.push(code);
            }
        }
        all
    }

    /// The names in braces of its path.
    pub fn path_parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('{').skip(1).filter_map(|rest| rest.split('}').next())
    }
}

/// The whole document.
pub fn document() -> Value {
    let mut schemas = schemars::generate::SchemaSettings::draft2020_12()
        .with(|settings| settings.definitions_path = "/components/schemas".into())
        .into_generator();
    schemas.subschema_for::<About>();
    schemas.subschema_for::<Problem>();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for operation in OPERATIONS {
        let method = operation.method.name().to_ascii_lowercase();
        paths.entry(operation.path).or_default().insert(method, described(operation));
    }
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Baken relay",
            "version": "0",
            "summary": "What phones, desks and bridges say to the relay.",
            "description": format!(
                "Bodies are deterministic CBOR, named by the label of their signed envelope or by their structure; \
                 errors are RFC 9457 problem details. No body is larger than {MAX_BODY_BYTES} bytes. A write answers \
                 a repeat with the same idempotency key alike."
            ),
            "license": { "name": "EUPL-1.2", "identifier": "EUPL-1.2" },
        },
        "servers": [{ "url": "/", "description": "Every relay; its address and TLS root are in the invite." }],
        "paths": paths,
        "components": {
            "schemas": schemas.take_definitions(true),
            "parameters": signed_headers(),
            "securitySchemes": {
                "mainKey": scheme("sig", "everything; behind the PIN"),
                "alarmKey": scheme("alarm", "alarms and what belongs to them; works with the vault locked"),
            },
        },
    })
}

fn scheme(key: &str, good_for: &str) -> Value {
    json!({
        "type": "apiKey",
        "in": "header",
        "name": SIGNATURE_HEADER,
        "description": format!(
            "RFC 9421 message signature, Ed25519, by the device's `{key}` key, over @method @authority @path @query \
             content-digest idempotency-key baken-device, with keyid \"<device>.{key}\", alg \"ed25519\" and tag \
             \"baken\". Good for {good_for}."
        ),
    })
}

/// The headers beside the signature.
fn signed_headers() -> Value {
    let hex = |digits| json!({ "type": "string", "pattern": format!("^[0-9a-f]{{{digits}}}$") });
    let header = |name: &str, description: &str, schema: Value| json!({ "name": name, "in": "header", "required": true, "description": description, "schema": schema });
    json!({
        "device": header(DEVICE_HEADER, "The caller.", hex(32)),
        "idempotencyKey": header(IDEMPOTENCY_HEADER, "Random, one a write.", hex(32)),
        "contentDigest": header(DIGEST_HEADER, "SHA-256 of the body (RFC 9530).", json!({ "type": "string" })),
        "signatureInput": header(SIGNATURE_INPUT_HEADER, "What is signed and by whom.", json!({ "type": "string" })),
    })
}

fn described(operation: &Operation) -> Value {
    let in_path = operation.path_parameters().map(|name| {
        // An organisation and a sealed root are named by a hash, a chunk by its place, all else by an id of 16 bytes.
        let digits = if matches!(name, "org" | "name") { 64 } else { 32 };
        let schema = match name {
            "chunk" => json!({ "type": "integer", "minimum": 0, "maximum": MAX_CHUNKS - 1 }),
            _ => json!({ "type": "string", "pattern": format!("^[0-9a-f]{{{digits}}}$") }),
        };
        json!({ "name": name, "in": "path", "required": true, "schema": schema })
    });
    let in_query = operation.query.iter().map(|name| {
        let cursor = json!({ "type": "integer", "minimum": 0 });
        // Circles and where to go on in each, with commas between them.
        let circles = json!({ "type": "string", "pattern": r"^[0-9a-f]{32}\.[0-9]+(,[0-9a-f]{32}\.[0-9]+)*$" });
        json!({ "name": name, "in": "query", "schema": if *name == "circles" { circles } else { cursor } })
    });
    let mut parameters: Vec<Value> = in_path.chain(in_query).collect();
    if operation.by != By::Nobody {
        let headers = ["device", "idempotencyKey", "contentDigest", "signatureInput"];
        parameters.extend(headers.map(|name| json!({ "$ref": format!("#/components/parameters/{name}") })));
    }
    let mut described = Map::new();
    described.insert("operationId".into(), operation.id.into());
    described.insert("summary".into(), operation.summary.into());
    described.insert("parameters".into(), parameters.into());
    described.insert(
        "security".into(),
        match operation.by {
            By::Nobody => json!([]),
            By::MainKey | By::NewDevice => json!([{ "mainKey": [] }]),
            By::AnyKey => json!([{ "mainKey": [] }, { "alarmKey": [] }]),
        },
    );
    if let Some(body) = operation.body {
        let content = json!({ "application/cbor": {} });
        described.insert("requestBody".into(), json!({ "required": true, "description": body, "content": content }));
    }
    described.insert("responses".into(), responses(operation));
    Value::Object(described)
}

fn responses(operation: &Operation) -> Value {
    let cbor = |description: &str| json!({ "description": description, "content": { "application/cbor": {} } });
    let success = match operation.answer {
        Answer::Empty => cbor("Done; the body is empty."),
        Answer::Document(what) | Answer::Structure(what) => cbor(what),
        Answer::Json => {
            let schema = json!({ "$ref": "#/components/schemas/About" });
            json!({ "description": "About", "content": { "application/json": { "schema": schema } } })
        }
        Answer::Plain => json!({ "description": "Yes.", "content": { "text/plain": {} } }),
        Answer::Stream => {
            json!({ "description": "Events mail, entry and log.", "content": { "text/event-stream": {} } })
        }
    };
    let mut responses = Map::new();
    responses.insert("200".into(), success);
    if operation.answer == Answer::Plain {
        responses.insert("503".into(), json!({ "description": "No.", "content": { "text/plain": {} } }));
        return Value::Object(responses);
    }
    let schema = json!({ "$ref": "#/components/schemas/Problem" });
    let content = json!({ "application/problem+json": { "schema": schema } });
    for (status, codes) in operation.all_refusals() {
        let refusal = json!({ "description": codes.join(", "), "content": content });
        responses.insert(status.to_string(), refusal);
    }
    Value::Object(responses)
}
