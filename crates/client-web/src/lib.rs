//! The client core for a browser. Everything crosses the border as text: what a command, an event and an effect look like
//! is in `doorward_client::json`. No promise, no request and no cookie in here; the page's script sees to those.

use doorward_client::json;
use wasm_bindgen::prelude::wasm_bindgen;

/// One browser tab's client.
#[wasm_bindgen]
pub struct Core(doorward_client::Core);

#[wasm_bindgen]
impl Core {
    /// A client for a configuration, which is JSON.
    ///
    /// # Errors
    /// A text that says what is wrong with the configuration.
    #[wasm_bindgen(constructor)]
    pub fn new(config: &str) -> Result<Core, String> {
        json::config(config).and_then(doorward_client::Core::new).map(Self)
    }

    /// Gives a command.
    pub fn command(&mut self, command: &str) {
        if let Some((call, now, command)) = json::command(command) {
            self.0.command(call, command, now);
        }
    }

    /// Tells what happened.
    pub fn event(&mut self, event: &str) {
        if let Some((now, event)) = json::event(event) {
            self.0.event(event, now);
        }
    }

    /// A session token that is good for a while yet, without asking anybody.
    pub fn token(&self, session: Option<String>, template: Option<String>, now: f64) -> Option<String> {
        self.0.token(session.as_deref(), template.as_deref(), now as i64)
    }

    /// What is to be done now, as a JSON array; nothing when there is nothing.
    pub fn effects(&mut self) -> Option<String> {
        json::effects(self.0.effects())
    }

    /// What is known, as JSON.
    pub fn snapshot(&self) -> String {
        self.0.snapshot().to_owned()
    }

    /// Grows with each change of the snapshot.
    pub fn version(&self) -> f64 {
        self.0.version() as f64
    }
}
