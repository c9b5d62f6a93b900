//! Webhooks: endpoints, the events that they are told of, and how far each event has come on its way to each endpoint.

mod apps;
mod deliveries;
mod endpoints;
mod events;

pub use apps::{delete_app, has_app, insert_app};
pub use deliveries::{
    AttemptRecord, DeliveryRecord, attempts, backlog, delivered, deliveries, failed, give_up, replay, replay_range, take_due,
};
pub use endpoints::{EndpointRecord, delete, due, endpoint, endpoints, insert_endpoint, resume, set_secret, update_endpoint};
pub use events::{EventRecord, Subscriber, event, insert_delivery, insert_event, subscribers};
