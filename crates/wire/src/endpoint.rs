use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which of the two interfaces an endpoint belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// Called by browsers and apps, on the public listener.
    Frontend,
    /// Called by servers with a secret key, on the private listener.
    Backend,
}

/// What a caller must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// Nothing: the answer is the same for everybody.
    Public,
    /// A client token identifies the browser; without one the caller is a browser that nobody is signed in on.
    Client,
    /// A client token with an active session; else 401 `authentication_invalid`.
    Session,
    /// The same, or one that is pending: what its tasks need.
    AnySession,
    /// Nothing, and nothing is believed: a page of another origin sends a form here.
    Foreign,
    /// `Authorization: Bearer <secret key>`; else 401.
    SecretKey,
}

/// Which limit counts the calls. The figures are in the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rate {
    /// Not limited: the answer is cacheable or costs less than the check.
    Unlimited,
    /// Token minting: admission-limited as a whole, never per caller, for old SDKs read 429 as "signed out".
    Mint,
    /// Reads and small writes of a browser.
    Frontend,
    /// Starting a sign-in.
    SignInCreate,
    /// Starting a sign-up.
    SignUpCreate,
    /// Guessing a password or a code.
    Attempt,
    /// Coming back from a provider, or by a link: nobody guesses those, and many people may share an address.
    Arrive,
    /// Causing a message to be sent.
    Send,
    /// Calls with a secret key, counted per instance.
    Backend,
    /// Inviting one person from a server: counted like [`Backend`](Self::Backend), and by itself as well.
    Invite,
    /// Inviting many: the same.
    InviteMany,
    /// Changing one user from a server: the same, for each user.
    ChangeUser,
}

impl Rate {
    /// Whether a call names an identifier or proves it, so that its answer may depend on who has an account.
    pub fn may_tell_of_accounts(self) -> bool {
        matches!(self, Self::SignInCreate | Self::SignUpCreate | Self::Attempt | Self::Arrive | Self::Send)
    }
}

/// How the answer is wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Envelope {
    /// `{"response": .., "client": <the whole client>}`.
    WithClient,
    /// `{"response": .., "client": null}`: the resource is the client itself, or none is touched.
    NullClient,
    /// The resource as it is.
    Bare,
    /// 204, without a body: there is nothing to say but that it is done.
    Nothing,
    /// Not JSON: a redirect or a page.
    Raw,
}

/// The declaration of an endpoint, as data.
#[derive(Clone, Copy, Debug)]
pub struct EndpointMeta {
    /// The interface.
    pub api: Api,
    /// The operation's name in the OpenAPI document.
    pub id: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The path, with `{parameters}`.
    pub path: &'static str,
    /// The heading under which the documents list it.
    pub tag: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// What a caller must show.
    pub auth: Auth,
    /// Which limit counts the calls.
    pub rate: Rate,
    /// How the answer is wrapped.
    pub envelope: Envelope,
}

impl EndpointMeta {
    /// The names of the path's parameters, in order.
    pub fn path_params(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }
}

/// A request type that knows its endpoint. Its fields are the path's parameters, the query and the body, together.
pub trait Endpoint: Serialize + for<'de> Deserialize<'de> + JsonSchema + Send + 'static {
    /// The declaration.
    const META: EndpointMeta;
    /// What is answered.
    type Response: Serialize + JsonSchema + Send + 'static;
}

/// The answer of endpoints that do not answer JSON.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Raw {}

/// No parameters.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Empty {}

/// Declares that `$request` is the input of an endpoint.
macro_rules! endpoint {
    ($request:ident => $response:ty; $api:ident $method:ident $path:literal $id:literal; $tag:literal, $auth:ident, $rate:ident, $envelope:ident; $summary:literal) => {
        impl $crate::Endpoint for $request {
            const META: $crate::EndpointMeta = $crate::EndpointMeta {
                api: $crate::Api::$api,
                id: $id,
                method: stringify!($method),
                path: $path,
                tag: $tag,
                summary: $summary,
                auth: $crate::Auth::$auth,
                rate: $crate::Rate::$rate,
                envelope: $crate::Envelope::$envelope,
            };
            type Response = $response;
        }
    };
}
pub(crate) use endpoint;

/// Declares a request type and its endpoint in one piece. Every field is optional on the wire unless its type says otherwise.
macro_rules! request {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* } => $($rest:tt)*) => {
        $(#[$doc])*
        #[derive(Clone, Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }
        $crate::endpoint::endpoint!($name => $($rest)*);
    };
}
pub(crate) use request;

/// Tells "null" from "not there": the outer option is presence.
pub(crate) fn present<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(input: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(input).map(Some)
}
