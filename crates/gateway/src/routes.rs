use crate::cx::Cx;
use crate::input::Shape;
use doorward_base::*;
use doorward_wire::{Api, Endpoint, EndpointMeta};
use schemars::{Schema, SchemaGenerator};
use serde_json::Value;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};

/// The future of a handler.
pub type Call<'a, T> = Pin<Box<dyn Future<Output = Result<T, ApiError>> + Send + 'a>>;

/// The endpoints of one interface, each with the function that answers it. Cloning shares them.
#[derive(Clone)]
pub struct Routes {
    api: Api,
    pub(crate) entries: Vec<Arc<Entry>>,
}

/// What the documents say of an endpoint.
#[derive(Clone)]
pub struct Documented {
    /// The declaration.
    pub meta: EndpointMeta,
    pub(crate) request: fn() -> Schema,
    pub(crate) response: fn(&mut SchemaGenerator) -> Schema,
}

pub(crate) struct Entry {
    pub(crate) documented: Documented,
    /// Made when the first request comes: most endpoints get none for a long time, and a start should not wait for all of them.
    pub(crate) shape: LazyLock<Shape>,
    pub(crate) handler: Box<dyn Handler>,
}

/// A handler whose types are behind it: JSON in, JSON out.
pub(crate) trait Handler: Send + Sync {
    fn call<'a>(&'a self, cx: &'a mut Cx, input: Value) -> Call<'a, Vec<u8>>;
}

struct Typed<E: Endpoint>(for<'a> fn(&'a mut Cx, E) -> Call<'a, E::Response>);

impl<E: Endpoint> Handler for Typed<E> {
    fn call<'a>(&'a self, cx: &'a mut Cx, input: Value) -> Call<'a, Vec<u8>> {
        Box::pin(async move {
            let request: E = serde_path_to_error::deserialize(input).map_err(|error| {
                let path = error.path().to_string();
                let name = path.split(['.', '[']).next().unwrap_or_default();
                if name.is_empty() || name == "?" {
                    ApiError::new(codes::BAD_REQUEST)
                } else {
                    ApiError::new(codes::FORM_PARAM_TYPE_INVALID).param(name)
                }
            })?;
            let response = (self.0)(cx, request).await?;
            serde_json::to_vec(&response).map_err(ApiError::internal)
        })
    }
}

impl Routes {
    /// No endpoints yet.
    pub fn new(api: Api) -> Self {
        Self { api, entries: Vec::new() }
    }

    /// Adds the endpoint of a request type. Its declaration says where it is mounted.
    #[must_use]
    pub fn with<E: Endpoint>(mut self, handler: for<'a> fn(&'a mut Cx, E) -> Call<'a, E::Response>) -> Self {
        let documented = Documented {
            meta: E::META,
            request: || {
                schemars::generate::SchemaSettings::draft2020_12()
                    .with(|s| s.inline_subschemas = true)
                    .into_generator()
                    .into_root_schema_for::<E>()
            },
            response: |generator| generator.subschema_for::<E::Response>(),
        };
        self.entries.push(Arc::new(Entry { documented, shape: LazyLock::new(Shape::of::<E>), handler: Box::new(Typed::<E>(handler)) }));
        self
    }

    /// Which interface it is.
    pub fn api(&self) -> Api {
        self.api
    }

    /// The declarations of all endpoints.
    pub fn table(&self) -> impl Iterator<Item = &EndpointMeta> {
        self.entries.iter().map(|entry| &entry.documented.meta)
    }

    pub(crate) fn documented(&self) -> impl Iterator<Item = &Documented> {
        self.entries.iter().map(|entry| &entry.documented)
    }
}
