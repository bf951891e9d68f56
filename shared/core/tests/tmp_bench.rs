use agentwarm_core::{account::*, ids::*, pool::*, plan::Plan, rate::*, seed::Seed, warmup::{*, planner::*, partners::*, volume::*, day::*}};
use jiff::{Timestamp, civil::{date,Date}, ToSpan};
#[test] fn bench() {
    let t0: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let n = 10_000u64; let days=6;
    let accounts: Vec<Account> = (0..n).map(|i| { Account { id: AccountId::new(t0, u128::from(i)<<16), user: UserId::new(t0,1), email: format!("a{i}@d{}.example", i/5).parse().unwrap(), display_name: "A".into(), provider: Provider::ImapSmtp, status: AccountStatus::Warming, status_reason: None, interrupted: None, zone: "Europe/Berlin".parse().unwrap(), pools: vec![PoolMembership{pool: PoolId::new(t0,1), joined_at: t0}], warmup: Some(Warmup{started_at:t0, phase: WarmupPhase::RampUp, day_number:38,last_day:Some(date(2026,3,12)), last_planned_start:None,last_planned_date:None,resumed_at:None,before_resume:None,recovered_since:None,last_judged:None,sustain_streak:0,cooldown:None,reduced:false}), current_daily_limit:2, servers:None,total_sent:0,total_received:0,totals_through:None,bounce_rate:Rate::ZERO,spam_rate:Rate::ZERO,reputation:Score::clamped(50.0),created_at:t0,updated_at:t0,version:1 }}).collect();
    let cands: Vec<Candidate> = accounts.iter().map(|a| Candidate{account:a.id, domain:a.email.domain(), provider:a.provider, planned_received_today:0, last_sent_to:None}).collect();
    let config=PoolConfig::default(); let seed=Seed::root(b"x");
    let hist: Vec<PastDay> = (1..8).map(|k| PastDay{date: date(2026,3,13).saturating_sub((k as i64).days()), figures: DayFigures{sent:38,..Default::default()}, cut_short:false}).collect();
    for pool in [10_000usize, 200, 50] {
    let start=std::time::Instant::now(); let mut total=0;
    for d in 0..days { let on: Date = date(2026,3,13).saturating_add((d as i64).days()); for a in &accounts {
        let o = plan_day(&PlanInput{account:a, config:&config, date:on, now: t0, history:&hist, candidates:&cands[..pool], plan:Plan::Enterprise, plan_allowance:50, test_mode:None, seed:&seed}).unwrap(); total+=o.plan.slots.len(); } }
    let e=start.elapsed(); println!("pool {pool}: {:?} per plan, {total} slots", e/(n as u32*days as u32)); }
}
