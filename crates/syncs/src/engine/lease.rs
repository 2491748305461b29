//! Becoming a sync's runner, and ceasing to be it.

use std::sync::Arc;

use kernel::{Result, Timestamp};
use store::Tx;

use super::{Context, Runner};
use crate::configs::{self, sql as config_sql};
use crate::ledger::{Of, log};
use crate::runs::{self, Mode, Phase, State, sql};
use crate::{LEASE, Syncs};

/// What a runner begins with.
enum Turn {
    /// Somebody else runs the sync.
    Taken,
    /// There is nothing to do.
    Idle,
    Mine {
        config: Box<configs::Row>,
        run: Box<runs::Row>,
        epoch: i64,
    },
}

impl Syncs {
    /// Becomes the runner of a sync's oldest run that can go on. None: another node runs it, or there is none.
    ///
    /// Errors: those of the account ([`crate::Accounts::open`]), after the run was failed for it; the store's own.
    pub(crate) async fn begin(self: &Arc<Self>, of: Of) -> Result<Option<Runner>> {
        self.enter(of, |tx, of| {
            let now = tx.now();
            let can_go_on = |row: &runs::Row| match row.state {
                State::Queued | State::Running => true,
                State::Parked => row.parked_until.is_none_or(|until| until <= now),
                _ => false,
            };
            // One after another: what waits for approval or for the vendor keeps the next ones waiting.
            Ok(sql::open(tx, of)?.into_iter().next().filter(can_go_on))
        })
        .await
    }

    /// Becomes the runner of a realtime sync's day.
    ///
    /// Errors: as [`Syncs::begin`].
    pub(crate) async fn begin_realtime(self: &Arc<Self>, of: Of) -> Result<Option<Runner>> {
        self.enter(of, |tx, of| {
            let today = day(tx.now());
            // It may have been switched off since somebody saw that there is work.
            if !config_sql::get(tx, of.tenant, of.sync)?.config.is_lively()? {
                end_realtime(tx, of)?;
                return Ok(None);
            }
            if let Some(mut row) = sql::open_realtime(tx, of)? {
                if day(row.created_at) == today {
                    return Ok(Some(row));
                }
                (row.state, row.ended_at) = (super::finish::ended_state(&row), Some(tx.now()));
                sql::save(tx, &row)?;
            }
            let mut row = runs::begin(tx, of, Mode::Realtime, false, "realtime", State::Running)?;
            (row.counters.complete, row.checkpoint.phase) = (true, Phase::Hints);
            Ok(Some(row))
        })
        .await
    }

    async fn enter(self: &Arc<Self>, of: Of, choose: fn(&mut Tx<'_>, Of) -> Result<Option<runs::Row>>) -> Result<Option<Runner>> {
        let runner = self.name.clone();
        let turn = self
            .store
            .write(crate::scope(), move |tx| {
                let until = tx.now().plus(LEASE);
                let Some(epoch) = config_sql::take_lease(tx, of, &runner, until)? else { return Ok(Turn::Taken) };
                let Some(mut run) = choose(tx, of)? else {
                    config_sql::give_back(tx, of, epoch)?;
                    return Ok(Turn::Idle);
                };
                let config = config_sql::get(tx, of.tenant, of.sync)?;
                if run.dry_run && run.started_at.is_some() {
                    begin_anew(tx, &mut run)?;
                }
                (run.state, run.parked_until) = (State::Running, None);
                run.started_at = run.started_at.or(Some(tx.now()));
                sql::save(tx, &run)?;
                Ok(Turn::Mine { config: Box::new(config), run: Box::new(run), epoch })
            })
            .await?;
        match turn {
            Turn::Mine { config, run, epoch } => self.equip(&config, *run, epoch).await.map(Some),
            Turn::Taken | Turn::Idle => Ok(None),
        }
    }

    /// The account and the mapping; without them the run fails.
    async fn equip(self: &Arc<Self>, config: &configs::Row, run: runs::Row, epoch: i64) -> Result<Runner> {
        let of = Of { tenant: config.tenant, sync: config.config.id };
        let made = self.made(config).await;
        match made {
            Ok((context, connector, session)) => Ok(Runner {
                context: Arc::new(context),
                run,
                epoch,
                connector,
                session,
                ahead: None,
                rehearsal: super::Rehearsal::default(),
            }),
            Err(error) => {
                let (code, detail) = (error.code().to_owned(), error.detail().to_owned());
                self.store
                    .write(crate::scope(), move |tx| {
                        let mut run = run;
                        super::finish::fail(tx, of, &mut run, &code, &detail)?;
                        sql::save(tx, &run)?;
                        config_sql::give_back(tx, of, epoch)
                    })
                    .await?;
                Err(error)
            }
        }
    }

    async fn made(&self, config: &configs::Row) -> Result<(Context, Arc<dyn connectors::Connector>, connectors::Session)> {
        let scope = kernel::TenantScope::system(crate::PART, config.tenant);
        let (connector, session) = self.accounts.open(&scope, config.config.integration_id).await?;
        let mut context = Context::new(config, connector.about(), &self.records, &self.scripts, self.ambient.now())?;
        context.learn(connector.as_ref());
        Ok((context, connector, session))
    }

    /// Ceases to be the runner, so that another may begin at once.
    ///
    /// Errors: the store's.
    pub async fn give_back(&self, runner: &Runner) -> Result<()> {
        let (of, epoch) = (runner.context.of, runner.epoch);
        self.store.write(crate::scope(), move |tx| config_sql::give_back(tx, of, epoch)).await
    }
}

/// Ends a sync's realtime run, whoever is at it: his next step finds it ended.
pub(crate) fn end_realtime(tx: &mut Tx<'_>, of: Of) -> Result<()> {
    let Some(mut row) = sql::open_realtime(tx, of)? else { return Ok(()) };
    (row.state, row.ended_at) = (super::finish::ended_state(&row), Some(tx.now()));
    sql::save(tx, &row).map(drop)
}

/// What a dry run would have done is known to its runner only: the next one begins with the first step.
fn begin_anew(tx: &mut Tx<'_>, run: &mut runs::Row) -> Result<()> {
    log::forget(tx, run.tenant, run.id)?;
    (run.counters, run.log_seq) = (runs::Counters::default(), 0);
    run.checkpoint = runs::Checkpoint { faults: run.checkpoint.faults, ..runs::Checkpoint::default() };
    Ok(())
}

fn day(at: Timestamp) -> i64 {
    at.millis().div_euclid(86_400_000)
}
