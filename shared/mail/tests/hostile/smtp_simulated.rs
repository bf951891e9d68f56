//! The simulation's SMTP server and a real one mean the same to a client: each trouble at each verb, and what the session is good for
//! afterwards.

use agentwarm_app::ports::mail::{ConnectFailure, ImapSmtpCredentials, MailSender, Submission};
use agentwarm_testkit::memory::mail::{PostOffice, REFUSAL, Trouble, Verb};
use tokio::task::JoinSet;

use crate::server::{HASTY, PASSWORD, PATIENT, Peer, Server, mail};

/// What a client sees that submits two mails over one session: to both, or why there is no session.
type Seen = Result<[Submission; 2], ConnectFailure>;

async fn seen_from(sender: &dyn MailSender, credentials: &ImapSmtpCredentials) -> Seen {
    let mut session = sender.connect(credentials).await?;
    let seen = [session.send(&mail()).await, session.send(&mail()).await];
    session.close().await;
    Ok(seen)
}

/// With a server in memory.
async fn simulated(verb: Verb, trouble: Trouble, credentials: &ImapSmtpCredentials) -> Seen {
    let post = PostOffice::new("X-AW-Token");
    post.open_mailbox("ada@one.test", PASSWORD);
    post.open_mailbox("bob@two.test", PASSWORD);
    post.next_trouble("ada@one.test", verb, trouble);
    seen_from(&post, credentials).await
}

/// With the product's client and a server on a socket.
async fn real(verb: Verb, trouble: Trouble) -> (Seen, ImapSmtpCredentials) {
    let server = Server::secure(move |peer| serve(peer, verb, trouble)).await;
    let time = if trouble == Trouble::Silence {
        HASTY
    } else {
        PATIENT
    };
    let credentials = server.credentials();
    let seen = seen_from(&server.mailboxes(time), &credentials).await;
    (seen, credentials)
}

/// A server that is in this trouble the first time that it comes to this verb.
async fn serve(mut peer: Peer, verb: Verb, trouble: Trouble) {
    let mut trouble = Some(trouble);
    let mut at = |it: Verb| trouble.take_if(|_| it == verb);
    if !answer(&mut peer, at(Verb::Greeting), "220 mx.one.test\r\n").await {
        return;
    }
    while let Some(line) = peer.hear().await {
        let (trouble, usual) = match line.get(..4) {
            Some("EHLO") => (at(Verb::Ehlo), "250-mx.one.test\r\n250 AUTH PLAIN\r\n"),
            Some("AUTH") => (at(Verb::Auth), "235 2.7.0 in\r\n"),
            Some("MAIL") => (at(Verb::MailFrom), "250 ok\r\n"),
            Some("RCPT") => (at(Verb::RcptTo), "250 ok\r\n"),
            Some("DATA") => (at(Verb::Data), "354 go\r\n"),
            _ => (None, "250 ok\r\n"),
        };
        let goes_on = trouble.is_none();
        if !answer(&mut peer, trouble, usual).await {
            return;
        }
        if goes_on && line == "DATA" {
            let trouble = at(Verb::Body);
            if !matches!(trouble, Some(Trouble::HalfClose)) && peer.content().await.is_none() {
                return;
            }
            let trouble = trouble.or_else(|| at(Verb::Dot));
            if !answer(&mut peer, trouble, "250 2.0.0 queued\r\n").await {
                return;
            }
        }
    }
}

/// Answers as usual or as the trouble has it; false if that ends the dialogue.
async fn answer(peer: &mut Peer, trouble: Option<Trouble>, usual: &str) -> bool {
    match trouble {
        None => peer.say(usual).await,
        Some(Trouble::Reply(code, enhanced)) => {
            let enhanced = enhanced.map(|it| format!("{it} ")).unwrap_or_default();
            let said = peer.say(format!("{code} {enhanced}{REFUSAL}\r\n")).await;
            said && code != 421
        }
        Some(Trouble::Silence) => {
            peer.pause().await;
            false
        }
        Some(Trouble::HalfClose) => {
            peer.half_close().await;
            peer.pause().await;
            false
        }
    }
}

#[tokio::test]
async fn the_simulated_server_means_to_a_client_what_a_real_one_does() {
    let more = [
        Trouble::Reply(501, None),
        Trouble::Reply(552, Some("5.2.2")),
    ];
    let mut dialogues = JoinSet::new();
    for verb in Verb::ALL {
        for trouble in Trouble::ALL.into_iter().chain(more) {
            dialogues.spawn(async move {
                let (real, credentials) = real(verb, trouble).await;
                let simulated = simulated(verb, trouble, &credentials).await;
                assert_eq!(simulated, real, "{trouble:?} at {verb:?}");
            });
        }
    }
    assert_eq!(dialogues.join_all().await.len(), 64);
}
