//! What the tests stand on.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use access::Access;
use access::people::{OperatorRole, Role, User};
use access::tenants::{CreateTenant, Tenant};
use kernel::chance::SystemEntropy;
use kernel::time::ManualClock;
use kernel::{Ambient, Caller, Result, Scope, Secret, TenantId, Timestamp, UserId};
use people::users::CreateUser;
use people::{Config, Cost, NewSession, Outcome, People, PeopleLifecycle, SignedIn, Visit};
use store::{Database, Lifecycle, MasterKey, Store, Tx};
use testkit::Engine;
use totp_rs::{Builder, Secret as TotpSecret, Totp};

pub(crate) const PASSWORD: &str = "a quiet harbour at dawn";

/// Remembers who left.
#[derive(Default)]
pub(crate) struct Witness(pub(crate) Mutex<Vec<(TenantId, UserId)>>);

impl Lifecycle for Witness {
    fn member_left(&self, _: &mut Tx<'_>, tenant: TenantId, user: UserId) -> Result<()> {
        self.0.lock().unwrap().push((tenant, user));
        Ok(())
    }
}

pub(crate) struct Bed {
    pub(crate) people: Arc<People>,
    pub(crate) access: Arc<Access>,
    pub(crate) store: Store,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) ambient: Ambient,
    pub(crate) witness: Arc<Witness>,
    pub(crate) mails: PathBuf,
    pub(crate) engine: Engine,
    master: MasterKey,
}

impl testkit::Bed for Bed {
    async fn open(engine: Engine) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_760_000_000_000)));
        let ambient = Ambient::new(clock.clone(), Arc::new(SystemEntropy));
        let (master, _) = MasterKey::load_or_create(&engine.data_dir(), &ambient).unwrap();
        let store = open_store(&engine, &master, &ambient, true).await;
        let witness = Arc::new(Witness::default());
        let lifecycles: Vec<Arc<dyn Lifecycle>> = vec![witness.clone(), Arc::new(PeopleLifecycle)];
        let blueprint = Arc::new(blueprint::load("insurance-leads").unwrap());
        let access = Access::new(store.clone(), ambient.clone(), Arc::clone(&blueprint), lifecycles.clone()).await.unwrap();
        let mails = engine.data_dir().join("mails");
        let people = People::new(store.clone(), ambient.clone(), &blueprint, config(Some(&mails)), lifecycles).await.unwrap();
        Self { people, access, store, clock, ambient, witness, mails, engine, master }
    }
}

fn config(mails: Option<&PathBuf>) -> Config {
    let mut config = Config::new("https://api.example.com/", "Tradewind");
    config.cost = Cost { memory_kib: 32, passes: 1 };
    config.mailer = mails.map(|dir| {
        let url = Secret::new(format!("file:{}", dir.display()));
        web::mail::Mailer::new(&url, "Tradewind <no-reply@example.com>").unwrap()
    });
    config
}

async fn open_store(engine: &Engine, master: &MasterKey, ambient: &Ambient, exclusive: bool) -> Store {
    let database = engine.database_url().map_or_else(|| Database::Sqlite(engine.data_dir()), Database::Postgres);
    let migrations = [access::MIGRATIONS, events::MIGRATIONS, people::MIGRATIONS].concat();
    let mut config = store::Config::new(database, master.clone(), ambient.clone(), migrations);
    config.exclusive = exclusive;
    Store::open(config).await.unwrap()
}

/// Somebody at an address.
pub(crate) fn visit_from(bed: &Bed, ip: &str) -> Visit {
    Visit { ip: Some(ip.parse::<IpAddr>().unwrap()), user_agent: Some("browser".into()), request: bed.ambient.id() }
}

pub(crate) fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

/// The session of an outcome that owes nothing.
pub(crate) fn session(outcome: Outcome) -> NewSession {
    match outcome {
        Outcome::SignedIn(session) => session,
        Outcome::SecondStep(_) => panic!("a second proof is owed"),
    }
}

/// What the second step repeats.
pub(crate) fn pending(outcome: Outcome) -> Secret<String> {
    match outcome {
        Outcome::SecondStep(pending) => pending.token,
        Outcome::SignedIn(_) => panic!("nothing is owed"),
    }
}

/// The token in a link.
pub(crate) fn token_of(url: &str) -> String {
    url.split_once("?token=").unwrap().1.to_owned()
}

impl Bed {
    /// Another node on the same data.
    pub(crate) async fn other_node(&self) -> Arc<People> {
        let store = open_store(&self.engine, &self.master, &self.ambient, false).await;
        let blueprint = blueprint::load("insurance-leads").unwrap();
        People::new(store, self.ambient.clone(), &blueprint, config(None), Vec::new()).await.unwrap()
    }

    /// The same server, set up otherwise.
    pub(crate) async fn configured(&self, change: impl FnOnce(&mut Config)) -> Arc<People> {
        let blueprint = blueprint::load("insurance-leads").unwrap();
        let mut config = config(Some(&self.mails));
        change(&mut config);
        People::new(self.store.clone(), self.ambient.clone(), &blueprint, config, Vec::new()).await.unwrap()
    }

    /// The same server, which sends no mail.
    pub(crate) async fn without_mail(&self) -> Arc<People> {
        self.configured(|config| config.mailer = None).await
    }

    pub(crate) fn operator(&self) -> Caller {
        Caller::system("test", None)
    }

    pub(crate) fn acting(&self, tenant: &Tenant) -> Caller {
        self.operator().acting_for(Some(tenant.id)).unwrap()
    }

    pub(crate) fn visit(&self) -> Visit {
        visit_from(self, "192.0.2.7")
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    pub(crate) async fn tenant(&self, name: &str) -> Tenant {
        let input = CreateTenant { name: name.into(), ..CreateTenant::default() };
        self.access.create_tenant(&self.operator(), input).await.unwrap()
    }

    /// Somebody with a password.
    pub(crate) async fn person(&self, email: &str, tenant: Option<(&Tenant, Role)>) -> User {
        let input = CreateUser {
            email: email.into(),
            name: "Ada Byron".into(),
            tenant: tenant.map(|(tenant, _)| tenant.id.to_string()),
            role: tenant.map(|(_, role)| role),
            operator_role: None,
        };
        self.make(input).await
    }

    pub(crate) async fn operators_person(&self, email: &str, role: OperatorRole) -> User {
        self.make(CreateUser { email: email.into(), operator_role: Some(role), ..CreateUser::default() }).await
    }

    async fn make(&self, input: CreateUser) -> User {
        let user = self.people.create_user(&self.operator(), input).await.unwrap();
        let link = self.people.make_reset_link(&self.operator(), user.id).await.unwrap();
        let outcome = self.people.reset_password(&token_of(link.reveal()), secret(PASSWORD), &visit_from(self, "198.51.100.1")).await;
        self.people.sign_out(session(outcome.unwrap()).token.reveal()).await.unwrap();
        self.advance(Duration::from_millis(1));
        user
    }

    /// Signs in by password alone.
    pub(crate) async fn signed_in(&self, email: &str) -> (NewSession, Arc<SignedIn>) {
        let session = session(self.people.sign_in_with_password(email, secret(PASSWORD), &self.visit()).await.unwrap());
        let signed_in = self.people.lookup(session.token.reveal()).await.unwrap().unwrap();
        // What comes next is later, so that lists by time have one order.
        self.advance(Duration::from_millis(1));
        (session, signed_in)
    }

    /// The caller of a fresh session, for a tenant or for what is their own.
    pub(crate) async fn caller(&self, email: &str, tenant: Option<&Tenant>) -> Caller {
        self.signed_in(email).await.1.caller(tenant.map(|tenant| tenant.id), self.visit().info()).unwrap()
    }

    /// Sets an authenticator up; its generator and the recovery codes.
    pub(crate) async fn authenticator(&self, email: &str) -> (Totp, Vec<String>) {
        let caller = self.caller(email, None).await;
        let enrolment = self.people.begin_totp(&caller).await.unwrap();
        let secret = TotpSecret::try_from_base32(enrolment.secret.reveal()).unwrap();
        let totp = Builder::new().with_secret(secret).build().unwrap();
        let codes = self.people.confirm_totp(&caller, &self.code(&totp)).await.unwrap();
        // The next code is another one.
        self.advance(Duration::from_secs(30));
        (totp, codes.iter().map(|code| code.reveal().clone()).collect())
    }

    pub(crate) fn code(&self, totp: &Totp) -> String {
        totp.generate(u64::try_from(self.ambient.now().millis() / 1000).unwrap()).to_string()
    }

    /// Messages that were sent to an address, as text, oldest first.
    pub(crate) fn mails_to(&self, email: &str) -> Vec<String> {
        let Ok(all) = std::fs::read_dir(&self.mails) else { return Vec::new() };
        let mut paths: Vec<PathBuf> = all.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        let texts = paths.iter().map(|path| std::fs::read_to_string(path).unwrap().replace("=\r\n", "").replace("=3D", "="));
        texts.filter(|text| text.contains(&format!("To: {email}")) && text.contains("</html>")).collect()
    }

    /// The token in the only link that was sent to an address, once it was sent.
    pub(crate) async fn mailed_token(&self, email: &str, count: usize) -> String {
        let found = testkit::wait::until("the e-mail", Duration::from_secs(10), || async {
            let mails = self.mails_to(email);
            (mails.len() == count).then(|| mails.last().unwrap().clone())
        });
        let mail = found.await;
        let rest = mail.split_once("?token=").unwrap().1;
        // The next message is a later one.
        self.advance(Duration::from_millis(1));
        rest.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect()
    }

    pub(crate) async fn audit_actions(&self) -> Vec<String> {
        self.store
            .read(Scope::system("test"), |tx| tx.query("SELECT action FROM audit_log ORDER BY chain, seq", &[], |row| row.get(0)))
            .await
            .unwrap()
    }

    pub(crate) async fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        self.store.read(Scope::system("test"), move |tx| tx.query_one(&sql, &[], |row| row.get(0))).await.unwrap()
    }

    pub(crate) async fn is_signed_in(&self, token: &Secret<String>) -> bool {
        self.people.lookup(token.reveal()).await.unwrap().is_some()
    }
}
