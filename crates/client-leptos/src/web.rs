//! Who performs the core's effects in a page.

use doorward_client::{Command, Config, Cookie, Core, Effect, Event, Failure, Outcome, Request};
use js_sys::{Date, JSON};
use serde_json::Value;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{BroadcastChannel, HtmlDocument, MessageEvent, RequestCredentials, RequestInit, Response, VisibilityState, Window};

/// A command failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Error(pub Failure);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0.message, self.0.code)
    }
}

impl std::error::Error for Error {}

enum Input {
    Call(Command, oneshot::Sender<Outcome>),
    Event(Event),
}

type Inputs = mpsc::UnboundedSender<Input>;

/// A handle to the page's client; all its clones share one, which lives as long as the page.
#[derive(Clone, Debug)]
pub struct Client {
    inputs: Inputs,
    snapshot: watch::Receiver<Arc<str>>,
}

impl Client {
    /// Starts a client in this page. Of the configuration the key and the addresses count; the rest is the page's.
    ///
    /// # Errors
    /// What is wrong with the configuration, or with the place: it needs a window.
    pub fn start(config: Config) -> Result<Self, String> {
        let window = web_sys::window().ok_or("there is no window here")?;
        let document = window.document().ok_or("there is no document here")?.unchecked_into::<HtmlDocument>();
        let channel = BroadcastChannel::new(&["doorward:", &config.publishable_key].concat()).ok();
        let core = Core::new(here(config, &window, &document))?;
        without_token(&window);
        let (inputs, taken) = mpsc::unbounded_channel();
        listen(&window, &document, channel.as_ref(), &inputs);
        let (changed, snapshot) = watch::channel(core.snapshot().into());
        let page = Page { core, window, document, channel, inputs: inputs.clone(), waiting: HashMap::new(), last: 0, timer: None, changed };
        spawn_local(page.run(taken));
        Ok(Self { inputs, snapshot })
    }

    /// Gives a command and waits for what becomes of it.
    ///
    /// # Errors
    /// Whatever the command fails with.
    pub async fn call(&self, command: Command) -> Result<Value, Error> {
        let (settle, settled) = oneshot::channel();
        let ended = || Error(Failure::ended());
        self.inputs.send(Input::Call(command, settle)).map_err(|_| ended())?;
        settled.await.map_err(|_| ended())?.map(Value::from).map_err(Error)
    }

    /// What is known, as JSON, now and whenever it changes.
    pub fn snapshot(&self) -> watch::Receiver<Arc<str>> {
        self.snapshot.clone()
    }
}

fn here(config: Config, window: &Window, document: &HtmlDocument) -> Config {
    let mut seed = [0; 8];
    // It spreads waiting times, no more: nothing is lost where it stays zero.
    drop(window.crypto().and_then(|crypto| crypto.get_random_values_with_u8_array(&mut seed)));
    Config {
        origin: window.location().origin().unwrap_or_default(),
        href: window.location().href().unwrap_or_default(),
        cookies: document.cookie().unwrap_or_default(),
        hidden: document.visibility_state() == VisibilityState::Hidden,
        native: false,
        client_token: None,
        seed: u64::from_ne_bytes(seed),
        ..config
    }
}

/// A token that another page gave along is the core's now, and nobody's who looks at the address.
fn without_token(window: &Window) {
    let Some(url) = window.location().href().ok().and_then(|href| web_sys::Url::new(&href).ok()) else { return };
    if url.search_params().has("__clerk_db_jwt") {
        url.search_params().delete("__clerk_db_jwt");
        let state = |history: &web_sys::History| history.state().unwrap_or(JsValue::NULL);
        drop(window.history().and_then(|history| history.replace_state_with_url(&state(&history), "", Some(&url.href()))));
    }
}

fn listen(window: &Window, document: &HtmlDocument, channel: Option<&BroadcastChannel>, inputs: &Inputs) {
    let tell = |event: fn() -> Event| {
        let inputs = inputs.clone();
        // For as long as the page.
        Closure::<dyn Fn()>::new(move || drop(inputs.send(Input::Event(event())))).into_js_value().unchecked_into::<js_sys::Function>()
    };
    drop(window.add_event_listener_with_callback("online", &tell(|| Event::Online)));
    drop(window.add_event_listener_with_callback("offline", &tell(|| Event::Offline)));
    let (seen, by) = (inputs.clone(), document.clone());
    let look = Closure::<dyn Fn()>::new(move || {
        drop(seen.send(Input::Event(Event::Cookies(by.cookie().unwrap_or_default()))));
        let hidden = by.visibility_state() == VisibilityState::Hidden;
        drop(seen.send(Input::Event(if hidden { Event::Hidden } else { Event::Visible })));
    });
    drop(document.add_event_listener_with_callback("visibilitychange", look.into_js_value().unchecked_ref()));
    let heard = inputs.clone();
    let hear = Closure::<dyn Fn(MessageEvent)>::new(move |message: MessageEvent| {
        let text = JSON::stringify(&message.data()).ok().and_then(|text| text.as_string());
        if let Some(data) = text.and_then(|text| doorward_client::Value::read(&text)) {
            drop(heard.send(Input::Event(Event::Message(data))));
        }
    });
    if let Some(channel) = channel {
        channel.set_onmessage(Some(hear.into_js_value().unchecked_ref()));
    }
}

struct Page {
    core: Core,
    window: Window,
    document: HtmlDocument,
    channel: Option<BroadcastChannel>,
    inputs: Inputs,
    waiting: HashMap<u64, oneshot::Sender<Outcome>>,
    last: u64,
    timer: Option<i32>,
    changed: watch::Sender<Arc<str>>,
}

fn now() -> i64 {
    Date::now() as i64
}

impl Page {
    async fn run(mut self, mut inputs: mpsc::UnboundedReceiver<Input>) {
        self.perform();
        while let Some(input) = inputs.recv().await {
            match input {
                Input::Call(command, settle) => {
                    self.last += 1;
                    self.waiting.insert(self.last, settle);
                    self.core.command(self.last, command, now());
                }
                Input::Event(event) => self.core.event(event, now()),
            }
            self.perform();
        }
    }

    fn perform(&mut self) {
        for effect in self.core.effects() {
            match effect {
                Effect::Request(request) => spawn_local(send(self.window.clone(), request, self.inputs.clone())),
                Effect::Changed => drop(self.changed.send(self.core.snapshot().into())),
                Effect::Settle { call, outcome } => drop(self.waiting.remove(&call).map(|settle| settle.send(outcome))),
                Effect::Cookie(cookie) => drop(self.document.set_cookie(&text(&cookie))),
                Effect::Timer(at) => self.wake(at),
                Effect::Broadcast(data) => {
                    if let (Some(channel), Ok(data)) = (&self.channel, JSON::parse(&data.to_string())) {
                        drop(channel.post_message(&data));
                    }
                }
                // A page has cookies instead.
                Effect::ClientToken(_) => {}
            }
        }
    }

    fn wake(&mut self, at: Option<i64>) {
        if let Some(timer) = self.timer.take() {
            self.window.clear_timeout_with_handle(timer);
        }
        let Some(at) = at else { return };
        let inputs = self.inputs.clone();
        let tell = Closure::once_into_js(move || drop(inputs.send(Input::Event(Event::Timer))));
        let wait = i32::try_from((at - now()).max(0)).unwrap_or(i32::MAX);
        self.timer = self.window.set_timeout_with_callback_and_timeout_and_arguments_0(tell.unchecked_ref(), wait).ok();
    }
}

fn text(Cookie { name, value, same_site, secure }: &Cookie) -> String {
    let age = if value.is_some() { 31_536_000 } else { 0 };
    let secure = if *secure { "; secure" } else { "" };
    format!("{name}={}; path=/; max-age={age}; samesite={same_site}{secure}", value.as_deref().unwrap_or_default())
}

async fn send(window: Window, request: Request, inputs: Inputs) {
    let id = request.id;
    drop(inputs.send(Input::Event(answer(window, request).await.unwrap_or(Event::Failed { id }))));
}

async fn answer(window: Window, request: Request) -> Result<Event, JsValue> {
    let options = RequestInit::new();
    options.set_method(request.method);
    options.set_credentials(if request.credentials { RequestCredentials::Include } else { RequestCredentials::Omit });
    let headers = web_sys::Headers::new()?;
    for (name, value) in &request.headers {
        headers.append(name, value)?;
    }
    options.set_headers(&headers);
    if let Some(body) = &request.body {
        options.set_body(&body.into());
    }
    let response: Response = JsFuture::from(window.fetch_with_str_and_init(&request.url, &options)).await?.dyn_into()?;
    // Those that the core asks for.
    let header = |name: &str| Some((name.to_owned(), response.headers().get(name).ok()??));
    let headers = ["retry-after"].into_iter().filter_map(header).collect();
    let body = JsFuture::from(response.text()?).await?.as_string().unwrap_or_default();
    Ok(Event::Response { id: request.id, status: response.status(), headers, body })
}
