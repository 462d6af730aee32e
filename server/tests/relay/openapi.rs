//! The relay answers what its OpenAPI document says, and nothing else.

use baken_schemas::openapi::{By, OPERATIONS, Operation};

use super::world::World;

/// A path with ids that nobody has, but of the right form.
pub fn concrete(operation: &Operation) -> String {
    filled(operation, operation.path.to_owned())
}

/// A path of an operation with something in every brace that is left.
pub fn filled(operation: &Operation, mut path: String) -> String {
    for parameter in operation.path_parameters() {
        let length = match parameter {
            "org" | "name" => 64,
            "chunk" => 1,
            _ => 32,
        };
        path = path.replace(&format!("{{{parameter}}}"), &"0".repeat(length));
    }
    path
}

#[tokio::test]
async fn every_operation_of_the_document_is_routed_and_guarded() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    for operation in OPERATIONS {
        let (method, path) = (operation.method.name(), concrete(operation));
        let unsigned = world.plain(method, &path, b"").await;
        if operation.by == By::Nobody {
            assert_ne!(unsigned.status, 401, "{}", operation.id);
            // A rendezvous or a sealed root that nobody has answers like an address that is not there.
            let routed = unsigned.status == 200 || unsigned.code() != "not_found";
            let unknown = operation.path.contains("{rendezvous}") || operation.path.contains("{name}");
            assert!(routed || unknown, "{} is not routed", operation.id);
        } else {
            assert_eq!(unsigned.status, 401, "{} takes unsigned requests", operation.id);
        }
        if operation.by == By::MainKey {
            let by_alarm_key = world.call_locked(&phone, method, &path, b"").await;
            assert!(matches!(by_alarm_key.status, 401 | 403), "{} takes the alarm key", operation.id);
        }
    }
    world.plain("GET", "/v0/nothing", b"").await.is(404, "not_found");
}
