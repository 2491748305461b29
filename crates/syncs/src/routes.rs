//! The HTTP surface: syncs, their runs, conflicts.

use std::sync::Arc;

use kernel::Permission;
use web::{Access, Api, Endpoint};

use crate::Syncs;
use crate::configs::{self, NewSyncConfig, SyncConfig, SyncConfigPatch};
use crate::conflicts::{self, Conflict, Resolution, Resolutions};
use crate::runs::{self, NewRun, Outstanding, Pick, SyncRun};

const CONFIGS: &str = "/api/v1/sync-configs";
const CONFIG: &str = "/api/v1/sync-configs/{id}";
const RUNS: &str = "/api/v1/sync-runs";
const RUN: &str = "/api/v1/sync-runs/{id}";
const CONFLICTS: &str = "/api/v1/conflicts";
const CONFLICT: &str = "/api/v1/conflicts/{id}";

fn reads(endpoint: Endpoint) -> Endpoint {
    endpoint.tag("Syncs").needs(Access::Permission(Permission::SyncsRead))
}

fn writes(endpoint: Endpoint) -> Endpoint {
    endpoint.tag("Syncs").needs(Access::Permission(Permission::SyncsWrite))
}

impl Syncs {
    /// The routes.
    pub fn routes(self: &Arc<Self>) -> Api {
        self.config_routes().merge(self.record_routes()).merge(self.run_routes()).merge(self.conflict_routes())
    }

    fn config_routes(self: &Arc<Self>) -> Api {
        let create = writes(Endpoint::post(CONFIGS, "sync_configs.create"))
            .summary("Make a sync between a resource type and a vendor's object")
            .body::<NewSyncConfig>()
            .answers::<SyncConfig>(201);
        let list = reads(Endpoint::get(CONFIGS, "sync_configs.list"))
            .summary("List syncs, the newest first")
            .query(&[("integrationId", "Only those of this integration")])
            .paged()
            .answers_page::<SyncConfig>();
        let get = reads(Endpoint::get(CONFIG, "sync_configs.get")).summary("Get a sync").answers::<SyncConfig>(200);
        let update = writes(Endpoint::patch(CONFIG, "sync_configs.update"))
            .summary("Change a sync")
            .body::<SyncConfigPatch>()
            .answers::<SyncConfig>(200);
        let delete = writes(Endpoint::delete(CONFIG, "sync_configs.delete")).summary("Delete a sync; the records stay").answers_nothing();
        Api::new()
            .route(create, configs::create, Arc::clone(self))
            .route(list, configs::list, Arc::clone(self))
            .route(get, configs::get, Arc::clone(self))
            .route(update, configs::update, Arc::clone(self))
            .route(delete, configs::delete, Arc::clone(self))
    }

    fn record_routes(self: &Arc<Self>) -> Api {
        let run = writes(Endpoint::post(format!("{CONFIG}/run"), "sync_configs.run"))
            .summary("Run a sync: full or incremental, or dry")
            .body::<NewRun>()
            .body_may_be_absent()
            .answers::<SyncRun>(202);
        let runs = reads(Endpoint::get(format!("{CONFIG}/runs"), "sync_configs.runs"))
            .summary("List a sync's runs, the newest first")
            .paged()
            .answers_page::<SyncRun>();
        let errors = reads(Endpoint::get(format!("{CONFIG}/errors"), "sync_configs.errors"))
            .summary("Records that failed and are tried again")
            .paged()
            .answers_page::<Outstanding>();
        let retry = writes(Endpoint::post(format!("{CONFIG}/retry"), "sync_configs.retry"))
            .summary("Try records again now: these, or all that failed")
            .body::<Pick>()
            .body_may_be_absent()
            .answers::<runs::Picked>(200);
        let skip = writes(Endpoint::post(format!("{CONFIG}/skip"), "sync_configs.skip"))
            .summary("Give records up until they change again")
            .body::<Pick>()
            .answers::<runs::Picked>(200);
        Api::new()
            .route(run, runs::start, Arc::clone(self))
            .route(runs, runs::of_config, Arc::clone(self))
            .route(errors, runs::outstanding, Arc::clone(self))
            .route(retry, runs::retry, Arc::clone(self))
            .route(skip, runs::skip, Arc::clone(self))
    }

    fn run_routes(self: &Arc<Self>) -> Api {
        let list = reads(Endpoint::get(RUNS, "sync_runs.list"))
            .summary("List runs of all syncs, the newest first")
            .paged()
            .answers_page::<SyncRun>();
        let get = reads(Endpoint::get(RUN, "sync_runs.get")).summary("Get a run: how it stands, and its report").answers::<SyncRun>(200);
        let log = reads(Endpoint::get(format!("{RUN}/log"), "sync_runs.log"))
            .summary("What happened to which record")
            .paged()
            .answers_page::<runs::LogLine>();
        let errors = reads(Endpoint::get(format!("{RUN}/errors"), "sync_runs.errors"))
            .summary("Which records failed in a run, and why")
            .paged()
            .answers_page::<runs::LogLine>();
        let deletions = reads(Endpoint::get(format!("{RUN}/deletions"), "sync_runs.deletions"))
            .summary("What a run that waits for approval would delete")
            .answers::<runs::PendingDeletions>(200);
        let cancel = writes(Endpoint::post(format!("{RUN}/cancel"), "sync_runs.cancel")).summary("End a run").answers::<SyncRun>(200);
        let approve = writes(Endpoint::post(format!("{RUN}/approve"), "sync_runs.approve"))
            .summary("Let a run delete what it would")
            .answers::<SyncRun>(200);
        let reject = writes(Endpoint::post(format!("{RUN}/reject"), "sync_runs.reject"))
            .summary("Keep what a run would delete, and go on")
            .answers::<SyncRun>(200);
        Api::new()
            .route(list, runs::all, Arc::clone(self))
            .route(get, runs::get, Arc::clone(self))
            .route(log, runs::log, Arc::clone(self))
            .route(errors, runs::errors, Arc::clone(self))
            .route(deletions, runs::deletions, Arc::clone(self))
            .route(cancel, runs::cancel, Arc::clone(self))
            .route(approve, runs::approve, Arc::clone(self))
            .route(reject, runs::reject, Arc::clone(self))
    }

    fn conflict_routes(self: &Arc<Self>) -> Api {
        let list = reads(Endpoint::get(CONFLICTS, "conflicts.list"))
            .summary("List conflicts, the newest first")
            .query(&[
                ("syncId", "Only those of this sync"),
                ("recordId", "Only those of this record"),
                ("status", "open, decided, resolved or settled"),
            ])
            .paged()
            .answers_page::<Conflict>();
        let get = reads(Endpoint::get(CONFLICT, "conflicts.get")).summary("Get a conflict").answers::<Conflict>(200);
        let resolve = writes(Endpoint::post(format!("{CONFLICT}/resolve"), "conflicts.resolve"))
            .summary("Decide about a conflict: ours, the vendor's, or another value")
            .body::<Resolution>()
            .answers::<Conflict>(200);
        let many = writes(Endpoint::post(format!("{CONFLICTS}/resolve"), "conflicts.resolve_many"))
            .summary("Decide about many conflicts at once")
            .body::<Resolutions>()
            .answers::<conflicts::Decided>(200);
        Api::new()
            .route(list, conflicts::list, Arc::clone(self))
            .route(get, conflicts::get, Arc::clone(self))
            .route(resolve, conflicts::resolve, Arc::clone(self))
            .route(many, conflicts::resolve_many, Arc::clone(self))
    }
}
