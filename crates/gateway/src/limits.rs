use crate::client_ip::limit_key;
use doorward_base::{ApiError, Clock, InstanceId, codes};
use doorward_core::instance::Instance;
use doorward_wire::Rate;
use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed, StateStore};
use governor::{Quota, RateLimiter};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many callers are remembered at most, per limit. Beyond it those that called longest ago are forgotten, so that
/// memory stays flat however many addresses somebody has.
const MAX_KEYS: u64 = 200_000;

/// By whom calls are counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Address(InstanceId, Option<IpAddr>),
    Instance(InstanceId),
    Object(InstanceId, &'static str, String),
}

/// The counters of all callers of one limit, in bounded memory.
struct Bounded(moka::sync::Cache<Key, Arc<InMemoryState>>);

impl StateStore for Bounded {
    type Key = Key;

    fn measure_and_replace<T, F, E>(&self, key: &Key, f: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        self.0.get_with_by_ref(key, Arc::default).measure_and_replace(&NotKeyed::NonKey, f)
    }
}

/// Time for limits: monotonic, so that a step of the wall clock neither opens nor closes anything; a frozen clock in tests.
#[derive(Clone)]
enum LimitClock {
    Monotonic(Instant),
    Frozen(Clock),
}

impl governor::clock::Clock for LimitClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let since = match self {
            Self::Monotonic(start) => start.elapsed(),
            Self::Frozen(clock) => Duration::from_millis(clock.now().unsigned_abs()),
        };
        Nanos::from(since)
    }
}

struct Limit {
    limiter: RateLimiter<Key, Bounded, LimitClock, NoOpMiddleware<Nanos>>,
    clock: LimitClock,
}

impl Limit {
    /// `calls` at once, and then as many again evenly over `per`.
    fn new(calls: u32, per: Duration, clock: &LimitClock) -> Option<Self> {
        Self::of(MAX_KEYS, calls, per, clock)
    }

    fn of(max_keys: u64, calls: u32, per: Duration, clock: &LimitClock) -> Option<Self> {
        let burst = NonZeroU32::new(calls)?;
        let quota = Quota::with_period(per / calls)?.allow_burst(burst);
        let keys = moka::sync::Cache::builder().max_capacity(max_keys).time_to_idle(per * 2 + Duration::from_secs(60)).build();
        Some(Self { limiter: RateLimiter::new(quota, Bounded(keys), clock.clone()), clock: clock.clone() })
    }

    fn check(&self, key: &Key) -> Result<(), ApiError> {
        self.limiter.check_key(key).map_err(|not_until| {
            let wait = not_until.wait_time_from(self.clock.now());
            ApiError::new(codes::TOO_MANY_REQUESTS).retry_after(wait.as_secs() + 1)
        })
    }
}

/// A call that is counted.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub rate: Rate,
    /// The endpoint's id.
    pub operation: &'static str,
    /// The object that the call is about.
    pub object: Option<&'a str>,
    pub ip: Option<IpAddr>,
}

/// How many factors are counted by at once, at most. Beyond it one begins to count anew.
const MAX_SETS: usize = 16;
/// The longest id that is counted by.
const MAX_OBJECT: usize = 64;

/// The limits of instances that have the same ones. The figures are those that Clerk publishes, where it does: 5 sign-ins or
/// sign-ups started and 3 attempts in 10 seconds, 1,000 Backend calls in 10 seconds, 100 on development instances, of them 100
/// invitations and 25 lots of them in an hour and 10 changes of a user in 10 seconds.
struct Set {
    frontend: Option<Limit>,
    sign_in: Option<Limit>,
    sign_up: Option<Limit>,
    attempt: Option<Limit>,
    arrive: Option<Limit>,
    send: Option<Limit>,
    backend_development: Option<Limit>,
    backend_production: Option<Limit>,
    invite: Option<Limit>,
    invite_many: Option<Limit>,
    change_user: Option<Limit>,
}

impl Set {
    fn new(clock: &LimitClock, factor: u32) -> Self {
        let ten = |calls: u32| Limit::new(calls.saturating_mul(factor), Duration::from_secs(10), clock);
        let hour = |calls: u32| Limit::new(calls.saturating_mul(factor), Duration::from_secs(3600), clock);
        Self {
            frontend: ten(300),
            sign_in: ten(5),
            sign_up: ten(5),
            attempt: ten(3),
            arrive: ten(60),
            send: ten(5),
            backend_development: ten(100),
            backend_production: ten(1000),
            invite: hour(100),
            invite_many: hour(25),
            change_user: ten(10),
        }
    }

    /// Counts a call. A caller without an address is counted as one caller, never let through uncounted.
    fn check(&self, call: Call<'_>, instance: &InstanceId, development: bool) -> Result<(), ApiError> {
        let address = || Key::Address(instance.clone(), call.ip.map(limit_key));
        let of_instance = || Key::Instance(instance.clone());
        let object = || {
            let id = call.object.unwrap_or_default().chars().take(MAX_OBJECT).collect();
            Key::Object(instance.clone(), call.operation, id)
        };
        let backend = if development { &self.backend_development } else { &self.backend_production };
        let (limit, key) = match call.rate {
            Rate::Unlimited | Rate::Mint => return Ok(()),
            Rate::Frontend => (&self.frontend, address()),
            Rate::SignInCreate => (&self.sign_in, address()),
            Rate::SignUpCreate => (&self.sign_up, address()),
            Rate::Attempt => (&self.attempt, address()),
            Rate::Arrive => (&self.arrive, address()),
            Rate::Send => (&self.send, address()),
            Rate::Backend | Rate::Invite | Rate::InviteMany | Rate::ChangeUser => (backend, of_instance()),
        };
        counted(limit, &key)?;
        match call.rate {
            Rate::Invite => counted(&self.invite, &of_instance()),
            Rate::InviteMany => counted(&self.invite_many, &of_instance()),
            Rate::ChangeUser => counted(&self.change_user, &object()),
            _ => Ok(()),
        }
    }
}

fn counted(limit: &Option<Limit>, key: &Key) -> Result<(), ApiError> {
    limit.as_ref().map_or_else(|| Err(ApiError::internal("a limit of zero calls")), |limit| limit.check(key))
}

/// The limits of a server.
pub(crate) struct Limits {
    clock: LimitClock,
    plain: Set,
    /// Those of instances that raise them, by how much.
    raised: Mutex<BTreeMap<u32, Arc<Set>>>,
}

impl Limits {
    pub(crate) fn new(clock: &Clock) -> Self {
        let clock = if clock.is_frozen() { LimitClock::Frozen(clock.clone()) } else { LimitClock::Monotonic(Instant::now()) };
        Self { plain: Set::new(&clock, 1), raised: Mutex::default(), clock }
    }

    /// Counts a call to an instance, unless its settings say that calls are not counted.
    ///
    /// # Errors
    /// `too_many_requests` with the seconds to wait.
    pub(crate) fn check(&self, call: Call<'_>, instance: &Instance) -> Result<(), ApiError> {
        if !instance.limits_calls() {
            return Ok(());
        }
        let factor = instance.settings.attack_protection.rate_limit_factor;
        self.check_with(factor, call, &instance.id, instance.is_development())
    }

    fn check_with(&self, factor: u32, call: Call<'_>, instance: &InstanceId, development: bool) -> Result<(), ApiError> {
        if factor == 1 {
            return self.plain.check(call, instance, development);
        }
        let set = {
            let mut raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner);
            if !raised.contains_key(&factor) && raised.len() >= MAX_SETS {
                raised.pop_first();
            }
            raised.entry(factor).or_insert_with(|| Arc::new(Set::new(&self.clock, factor))).clone()
        };
        set.check(call, instance, development)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> (Limits, Clock) {
        let clock = Clock::frozen(1_800_000_000_000);
        (Limits::new(&clock), clock)
    }

    fn call(rate: Rate, ip: &str) -> Call<'static> {
        Call { rate, operation: "it", object: None, ip: ip.parse().ok() }
    }

    fn check(limits: &Limits, instance: &str, call: Call<'_>) -> Result<(), ApiError> {
        limits.check_with(1, call, &InstanceId::from(instance), false)
    }

    fn sign_in(limits: &Limits, instance: &str, ip: &str) -> bool {
        check(limits, instance, call(Rate::SignInCreate, ip)).is_ok()
    }

    #[test]
    fn five_sign_ins_in_ten_seconds_and_then_a_wait() {
        let (limits, clock) = limits();
        assert!((0..5).all(|_| sign_in(&limits, "ins_1", "192.0.2.1")));
        let refused = check(&limits, "ins_1", call(Rate::SignInCreate, "192.0.2.1")).unwrap_err();
        assert_eq!(refused.code().code, "too_many_requests");
        assert!(refused.retry_after_seconds().unwrap() >= 1);
        assert!(sign_in(&limits, "ins_2", "192.0.2.1"), "another instance counts apart");
        assert!(sign_in(&limits, "ins_1", "192.0.2.2"), "another address counts apart");
        clock.advance(10_000);
        assert!(sign_in(&limits, "ins_1", "192.0.2.1"));
    }

    #[test]
    fn fault_049_callers_without_an_address_are_counted_too() {
        let (limits, _) = limits();
        let call = || check(&limits, "ins_1", call(Rate::Attempt, "nowhere")).is_ok();
        assert_eq!([call(), call(), call(), call()], [true, true, true, false]);
    }

    #[test]
    fn fault_053_a_limit_of_zero_lets_nobody_through() {
        let (clock, instance) = (Clock::frozen(1_800_000_000_000), InstanceId::from("ins_1"));
        let none = Set::new(&LimitClock::Frozen(clock.clone()), 0);
        let rates = [
            Rate::Frontend,
            Rate::SignInCreate,
            Rate::SignUpCreate,
            Rate::Attempt,
            Rate::Arrive,
            Rate::Send,
            Rate::Backend,
            Rate::Invite,
            Rate::InviteMany,
            Rate::ChangeUser,
        ];
        for _ in 0..2 {
            for (rate, development) in rates.into_iter().flat_map(|rate| [(rate, false), (rate, true)]) {
                for ip in ["nowhere", "192.0.2.1"] {
                    assert!(none.check(call(rate, ip), &instance, development).is_err(), "{rate:?} {development} {ip:?}");
                }
            }
            clock.advance(60_000);
        }
    }

    /// How many of a hundred and fifty calls in a moment get through.
    fn passed(limits: &Limits, factor: u32, call: Call<'_>) -> usize {
        (0..150).filter(|_| limits.check_with(factor, call, &InstanceId::from("ins_1"), false).is_ok()).count()
    }

    #[test]
    fn what_a_server_does_often_to_one_user_or_by_mail_is_counted_apart() {
        let (limits, clock) = limits();
        for (rate, most) in [(Rate::Invite, 100), (Rate::InviteMany, 25)] {
            assert_eq!(passed(&limits, 1, call(rate, "192.0.2.1")), most, "{rate:?}");
            assert_eq!(passed(&limits, 1, call(rate, "192.0.2.2")), 0, "whoever asks");
        }
        clock.advance(3_600_000);
        assert_eq!(passed(&limits, 1, call(Rate::Invite, "192.0.2.1")), 100);
        let change = |operation, user| Call { operation, object: Some(user), ..call(Rate::ChangeUser, "192.0.2.1") };
        for one in [change("UpdateUser", "user_1"), change("UpdateUser", "user_2"), change("UpdateUserMetadata", "user_1")] {
            assert_eq!(passed(&limits, 1, one), 10);
        }
        clock.advance(10_000);
        assert_eq!(passed(&limits, 1, change("UpdateUser", "user_1")), 10);
    }

    #[test]
    fn many_people_behind_one_address_come_back_at_once() {
        let (limits, _) = limits();
        assert_eq!(passed(&limits, 1, call(Rate::Arrive, "192.0.2.1")), 60);
    }

    #[test]
    fn an_instance_can_raise_its_limits() {
        let (limits, _) = limits();
        assert_eq!(passed(&limits, 4, call(Rate::SignInCreate, "192.0.2.1")), 20);
        assert_eq!(passed(&limits, 1, call(Rate::SignInCreate, "192.0.2.1")), 5, "others have theirs");
    }

    #[test]
    fn fault_052_a_race_lets_no_more_through_than_the_limit() {
        let (limits, _) = limits();
        let passed: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..200).map(|_| scope.spawn(|| usize::from(sign_in(&limits, "ins_1", "192.0.2.1")))).collect();
            threads.into_iter().map(|t| t.join().unwrap()).sum()
        });
        assert_eq!(passed, 5);
    }

    #[test]
    fn fault_052_however_many_callers_there_are_only_so_many_are_kept() {
        let clock = LimitClock::Monotonic(Instant::now());
        let limit = Limit::of(1000, 5, Duration::from_secs(10), &clock).unwrap();
        for n in 0..10_000_u32 {
            let ip = IpAddr::from(n.to_be_bytes());
            limit.check(&Key::Address(InstanceId::from("ins_1"), Some(ip))).unwrap();
        }
        let Bounded(kept) = limit.limiter.into_state_store();
        kept.run_pending_tasks();
        assert!((1..=1000).contains(&kept.entry_count()), "{}", kept.entry_count());
    }
}
