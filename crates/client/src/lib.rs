//! What an app's side of Doorward knows and decides, without doing anything: commands and events go in, effects come out.
//!
//! The core keeps the client as the server told it last, the tokens that are still good, and who waits for what. A binding
//! performs the effects (requests, cookies, timers) and tells what came of them. So the same core serves a browser and a
//! native program, and tests drive it with a clock and a network of their own making.
//!
//! ```
//! use doorward_client::{Command, Config, Core, Effect};
//!
//! let config = Config { publishable_key: "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k".into(), ..Config::default() };
//! let mut core = Core::new(config)?;
//! core.command(1, Command::Load, 0);
//! let Effect::Request(request) = &core.effects()[0] else { panic!("it asks for the client first") };
//! assert_eq!(request.method, "GET");
//! # Ok::<(), String>(())
//! ```

mod account;
mod answers;
mod calls;
mod config;
mod effects;
mod few;
pub mod json;
mod machine;
mod read;
mod requests;
mod sessions;
mod shown;
mod text;
mod tokens;
mod value;

pub use account::{Account, Area};
pub use calls::{Command, Step, TokenQuery};
pub use config::Config;
pub use effects::{Cookie, Effect, Event, Failure, Outcome, Request};
pub use machine::Core;
pub use value::{Map, Value};
