//! Challenges, against the real binary: each is answered once, in its own ceremony, for its own
//! invite and user, and in time; and of those who race for one invite one gets it.
mod support;

use serde_json::{Value, json};
use std::sync::Barrier;
use std::thread;
use support::chat::{Chat, Reply};
use support::clock::ShiftedClock;
use support::passkey::Passkey;
use support::posta::Posta;

/// What one ceremony is waiting for, and what answers it.
struct Begun {
    ceremony: Value,
    credential: Value,
    prf: Option<String>,
}

/// Every kind of ceremony there is.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Kind {
    Register,
    Prove,
    Login,
    Touch,
    Add,
    Try,
}

const KINDS: [Kind; 6] =
    [Kind::Register, Kind::Prove, Kind::Login, Kind::Touch, Kind::Add, Kind::Try];

impl Kind {
    /// Where it is answered.
    fn path(self) -> &'static str {
        match self {
            Kind::Register | Kind::Prove => "/register/passkey",
            Kind::Login => "/login",
            Kind::Touch | Kind::Add | Kind::Try => "/settings/step",
        }
    }
}

/// Alice, signed up, and what she needs to begin anything.
struct Scene {
    chat: Chat,
    bob: Posta,
    passkey: Passkey,
    cookie: String,
    invite: String,
    clock: ShiftedClock,
    _alice: Posta,
}

impl Scene {
    fn new() -> Scene {
        let clock = ShiftedClock::new();
        let chat = Chat::start_with(&[], &clock.env());
        let (alice, bob) = (Posta::start("alice", &[]), Posta::start("bob", &[]));
        let (passkey, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
        let invite = chat.invite();
        Scene { chat, bob, passkey, cookie, invite, clock, _alice: alice }
    }

    /// A fresh ceremony of that kind, and its right answer.
    fn begin(&mut self, kind: Kind) -> Begun {
        // Nobody begins so many in so short a time: let the limits recover.
        self.clock.forward(20);
        let chat = &self.chat;
        let created = |asked: &Value| {
            let (_, credential) = Passkey::create(&asked["publicKey"], &chat.origin);
            Begun { ceremony: asked["ceremony"].clone(), credential, prf: None }
        };
        let answered = |asked: &Value, passkey: &mut Passkey| {
            let (credential, prf) = passkey.get(&asked["publicKey"]);
            Begun { ceremony: asked["ceremony"].clone(), credential, prf: Some(prf) }
        };
        let adding = |form: &[(&str, &str)], passkey: &mut Passkey| {
            let asked = chat.touch("/settings/passkeys/add", &self.cookie, form, passkey);
            assert_eq!(asked.status, 200, "{}", asked.body);
            asked.json()
        };
        let here = [("where", "here")];
        match kind {
            Kind::Register => {
                let asked = chat.connect(&self.invite, &self.bob.pairing);
                created(&asked.unwrap_or_else(|reply| panic!("{}", reply.body)))
            }
            Kind::Prove => {
                let (mut fresh, asked) = chat.create_passkey(&self.invite, &self.bob.pairing);
                answered(&asked, &mut fresh)
            }
            Kind::Login => {
                let asked = chat.post_json("/login/options", &json!({})).unwrap().json();
                answered(&asked, &mut self.passkey)
            }
            Kind::Touch => {
                let asked = chat.post_form("/settings/passkeys/add", &self.cookie, &here).json();
                answered(&asked, &mut self.passkey)
            }
            Kind::Add => created(&adding(&here, &mut self.passkey)),
            Kind::Try => {
                let asked = adding(&here, &mut self.passkey);
                let (mut fresh, credential) = Passkey::create(&asked["publicKey"], &chat.origin);
                let asked = chat.step(&self.cookie, &asked, credential, None);
                assert_eq!(asked.status, 200, "{}", asked.body);
                answered(&asked.json(), &mut fresh)
            }
        }
    }

    fn answer(&self, path: &str, ceremony: &Value, answer: &Begun) -> Reply {
        let body =
            json!({"ceremony": ceremony, "credential": answer.credential, "prf": answer.prf});
        // A sign-in takes the place of the one whose cookie came along.
        let cookie = if path == "/settings/step" { &*self.cookie } else { "" };
        let fields = [("content-type", "application/json"), ("cookie", cookie)];
        let body = body.to_string().into_bytes();
        self.chat.try_request(minreq::Method::Post, path, &fields, body).unwrap()
    }

    /// Alice has one passkey and one sign-in, and the invite is unused.
    fn nothing_has_changed(&self) {
        assert_eq!((self.chat.users().len(), self.chat.usable_invites()), (1, 1));
        let page = self.chat.get("/settings", &self.cookie).body;
        assert_eq!(page.matches("id=\"passkey-").count(), 1);
        assert_eq!(page.matches("action=\"/settings/sign-ins/end\"").count(), 0);
    }
}

fn refused(reply: &Reply, what: &str) {
    assert!(
        [400, 401, 403, 410, 422].contains(&reply.status),
        "{what}: {} {}",
        reply.status,
        reply.body
    );
    assert!(reply.cookie.is_none(), "{what}: no session");
}

#[test]
fn an_answer_counts_in_its_own_ceremony_alone() {
    let mut scene = Scene::new();
    for kind in KINDS {
        for other in KINDS.into_iter().filter(|other| *other != kind) {
            // Made for one ceremony, given in another.
            let (mine, theirs) = (scene.begin(kind), scene.begin(other));
            let what = format!("{kind:?}'s answer in {other:?}");
            refused(&scene.answer(other.path(), &theirs.ceremony, &mine), &what);
            // That was the other's one try; its own answer comes too late.
            refused(&scene.answer(other.path(), &theirs.ceremony, &theirs), &what);
        }
        // Made for one ceremony, given in another of the same kind.
        let (one, other) = (scene.begin(kind), scene.begin(kind));
        let what = format!("{kind:?}'s answer in another {kind:?}");
        refused(&scene.answer(kind.path(), &other.ceremony, &one), &what);
        // The right answer at the wrong place.
        for path in ["/register/passkey", "/login", "/settings/step"] {
            if path != kind.path() {
                let begun = scene.begin(kind);
                let what = format!("{kind:?} at {path}");
                refused(&scene.answer(path, &begun.ceremony, &begun), &what);
            }
        }
    }
    scene.nothing_has_changed();
    // So it was their being crossed that was refused: each is taken at its own place.
    for kind in KINDS {
        let begun = scene.begin(kind);
        let reply = scene.answer(kind.path(), &begun.ceremony, &begun);
        assert_eq!(reply.status, 200, "{kind:?}: {}", reply.body);
    }
}

#[test]
fn an_answer_counts_once() {
    let mut scene = Scene::new();
    for kind in KINDS {
        let begun = scene.begin(kind);
        let first = scene.answer(kind.path(), &begun.ceremony, &begun);
        assert_eq!(first.status, 200, "{kind:?}: {}", first.body);
        let before = scene.chat.users().len();
        for _ in 0..3 {
            let what = format!("{kind:?} again");
            refused(&scene.answer(kind.path(), &begun.ceremony, &begun), &what);
        }
        assert_eq!(scene.chat.users().len(), before, "{kind:?}");
    }
    // Many at the same time are as good as one after the other.
    let begun = scene.begin(Kind::Login);
    let start = Barrier::new(8);
    let taken = thread::scope(|scope| {
        let tries: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    scene.answer("/login", &begun.ceremony, &begun).status
                })
            })
            .collect();
        tries.into_iter().map(|t| t.join().unwrap()).filter(|status| *status == 200).count()
    });
    assert_eq!(taken, 1);
}

#[test]
fn challenges_are_not_crossed_between_invites() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let bob = Posta::start("bob", &[]);
    let invites = [chat.invite(), chat.invite()];
    let post = |ceremony: &Value, credential: &Value, prf: Option<&str>| {
        let body = json!({"ceremony": ceremony, "credential": credential, "prf": prf});
        chat.post_json("/register/passkey", &body).unwrap()
    };
    let begin = |invite: &str, posta: &Posta| {
        chat.connect(invite, &posta.pairing).unwrap_or_else(|reply| panic!("{}", reply.body))
    };
    // Both make their passkeys; each one's is given for the other's invite.
    let (one, other) = (begin(&invites[0], &alice), begin(&invites[1], &bob));
    let (_, for_one) = Passkey::create(&one["publicKey"], &chat.origin);
    let (_, for_other) = Passkey::create(&other["publicKey"], &chat.origin);
    refused(&post(&one["ceremony"], &for_other, None), "made for the other invite");
    refused(&post(&other["ceremony"], &for_one, None), "made for the other invite");
    // Both have proofs to give, and give each other's.
    let (mut hers, ask_her) = chat.create_passkey(&invites[0], &alice.pairing);
    let (mut his, ask_him) = chat.create_passkey(&invites[1], &bob.pairing);
    let (her_proof, her_prf) = hers.get(&ask_her["publicKey"]);
    let (his_proof, his_prf) = his.get(&ask_him["publicKey"]);
    refused(&post(&ask_her["ceremony"], &his_proof, Some(&his_prf)), "his proof for her");
    refused(&post(&ask_him["ceremony"], &her_proof, Some(&her_prf)), "her proof for him");
    assert_eq!((chat.users().len(), chat.usable_invites()), (0, 2));
    // Nor may a passkey that is somebody's be registered once more.
    let (mut passkey, asked) = chat.create_passkey(&invites[0], &alice.pairing);
    assert_eq!(chat.prove(&mut passkey, &asked, "").unwrap().status, 200);
    let begun = begin(&invites[1], &bob);
    let again = passkey.register(&begun["publicKey"]);
    assert_eq!(post(&begun["ceremony"], &again, None).status, 409);
    assert_eq!((chat.users().len(), chat.usable_invites()), (1, 1));
}

#[test]
fn challenges_are_not_crossed_between_users() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let bob = Posta::start("bob", &[]);
    let (mut hers, _) = chat.sign_up(&chat.invite(), &alice.pairing);
    let (mut his, _) = chat.sign_up(&chat.invite(), &bob.pairing);
    let begin = || chat.post_json("/login/options", &json!({})).unwrap().json();
    let post = |begun: &Value, credential: &Value, prf: &str| {
        let body = json!({"ceremony": begun["ceremony"], "credential": credential, "prf": prf});
        chat.post_json("/login", &body).unwrap()
    };
    let (one, other) = (begin(), begin());
    let (her_answer, her_prf) = hers.get(&one["publicKey"]);
    let (his_answer, his_prf) = his.get(&other["publicKey"]);
    refused(&post(&one, &his_answer, &his_prf), "his answer to her challenge");
    refused(&post(&other, &her_answer, &her_prf), "her answer to his challenge");
    // His answer under her name, by each of the three things that name her.
    for (member, value) in
        [("id", json!(hers.id())), ("userHandle", her_answer["response"]["userHandle"].clone())]
    {
        let begun = begin();
        let (mut answer, prf) = his.get(&begun["publicKey"]);
        if member == "id" {
            answer["id"] = value.clone();
            answer["rawId"] = value;
        } else {
            answer["response"][member] = value;
        }
        refused(&post(&begun, &answer, &prf), member);
    }
    let begun = begin();
    let (answer, _) = his.get(&begun["publicKey"]);
    refused(&post(&begun, &answer, &her_prf), "her PRF output");
    for passkey in [&mut hers, &mut his] {
        assert_eq!(chat.sign_in(passkey).status, 200);
    }
}

#[test]
fn a_challenge_is_good_for_five_minutes() {
    let mut scene = Scene::new();
    for kind in KINDS {
        let begun = scene.begin(kind);
        scene.clock.forward(5 * 60 + 1);
        refused(&scene.answer(kind.path(), &begun.ceremony, &begun), &format!("{kind:?}, late"));
    }
    scene.nothing_has_changed();
    for kind in [Kind::Login, Kind::Touch, Kind::Prove] {
        let begun = scene.begin(kind);
        scene.clock.forward(4 * 60 + 30);
        let reply = scene.answer(kind.path(), &begun.ceremony, &begun);
        assert_eq!(reply.status, 200, "{kind:?}, in time: {}", reply.body);
    }
}

#[test]
fn of_those_who_race_for_an_invite_one_gets_it() {
    let clock = ShiftedClock::new();
    let chat = Chat::start_with(&[], &clock.env());
    let postas: Vec<Posta> =
        ["alice", "bob", "carol", "dave"].map(|name| Posta::start(name, &[])).into();
    let mut winners = Vec::new();
    for round in 0..6 {
        clock.forward(60);
        let code = chat.invite();
        let mut ready: Vec<(Passkey, Value)> =
            postas.iter().map(|posta| chat.create_passkey(&code, &posta.pairing)).collect();
        let start = Barrier::new(ready.len());
        let replies: Vec<Reply> = thread::scope(|scope| {
            let racers: Vec<_> = ready
                .iter_mut()
                .map(|(passkey, asked)| {
                    let (chat, start) = (&chat, &start);
                    scope.spawn(move || {
                        let (credential, prf) = passkey.get(&asked["publicKey"]);
                        let step = json!({"ceremony": asked["ceremony"], "prf": prf,
                            "credential": credential});
                        start.wait();
                        chat.post_json("/register/passkey", &step).unwrap()
                    })
                })
                .collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        let won: Vec<usize> = (0..replies.len()).filter(|at| replies[*at].status == 200).collect();
        assert_eq!(won.len(), 1, "round {round}");
        for (at, reply) in replies.iter().enumerate() {
            assert!(won[0] == at || reply.status == 410, "round {round}: {}", reply.body);
            assert_eq!(reply.cookie.is_some(), won[0] == at, "round {round}");
        }
        assert_eq!(chat.usable_invites(), 0, "round {round}");
        // Who won can sign in, and nobody else.
        for (at, (passkey, _)) in ready.iter_mut().enumerate() {
            let status = chat.sign_in(passkey).status;
            assert_eq!(status, if won[0] == at { 200 } else { 401 }, "round {round}");
        }
        // Who won before and again has one account, as their latest sign-up has it.
        winners.push(won[0]);
        let mut different = winners.clone();
        different.sort_unstable();
        different.dedup();
        assert_eq!(chat.users().len(), different.len(), "round {round}");
    }
}
