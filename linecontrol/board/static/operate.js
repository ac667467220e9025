"use strict";

// What a person does to flags. The token lives in this page's memory only: never in its address, nor in any storage.

const IDLE_MS = 15 * 60 * 1000;
const DO = {
  ack: "Acknowledge: I have seen it and take care",
  shelve: "Shelve: put it aside for a time",
  unshelve: "Unshelve: bring it back",
  out_of_service: "Take out of service: maintenance",
  in_service: "Put back into service",
};
const NEEDS_REASON = ["shelve", "out_of_service"];
const HOUR = 3600;
const TIMES = {
  shelve: [["30 minutes", HOUR / 2], ["1 hour", HOUR], ["2 hours", 2 * HOUR], ["8 hours", 8 * HOUR], ["until it clears", null]],
  out_of_service: [["8 hours", 8 * HOUR], ["1 day", 24 * HOUR], ["7 days", 168 * HOUR], ["until it is put back", null]],
};
let operator = null; // {user, token}
let idle = 0;
let acting = null;

async function ask(path, token, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method: "POST",
      headers: { "X-Operator-Token": token, "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(8000),
    });
  } catch {
    throw new Error("The gateway doesn't answer. Nothing was done, as far as this page knows: look at the flag, then try again.");
  }
  if (answer.status === 204) return null;
  const told = await answer.json().catch(() => ({}));
  if (path === "/operator" && answer.status === 403) throw new Error("This is not the operator token of this gateway.");
  if (!answer.ok) throw new Error(told.error || "The gateway refused (" + answer.status + ").");
  return told;
}

function say(dialog, text) {
  const place = dialog.querySelector(".error");
  place.textContent = "";
  if (text) place.textContent = text;
}

// Runs what a form does when it is sent, once at a time; what goes wrong is told in the dialog.
function onSubmit(dialog, action) {
  const form = dialog.querySelector("form");
  const send = form.querySelector("[type=submit]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (send.disabled) return;
    send.disabled = true;
    say(dialog, "");
    try {
      await action();
      dialog.close();
    } catch (error) {
      say(dialog, error.message);
    } finally {
      send.disabled = false;
    }
  });
  form.querySelector(".cancel").addEventListener("click", () => dialog.close());
}

// --- signing in -------------------------------------------------------------------------------------------

function become(next) {
  operator = next;
  document.body.classList.toggle("signed-in", operator !== null);
  put(byId("who"), operator === null ? "" : operator.user);
  put(byId("sign"), operator === null ? "Sign in" : "Sign out");
  if (operator === null) byId("sign").setAttribute("aria-haspopup", "dialog");
  else byId("sign").removeAttribute("aria-haspopup");
  fitAll();
  stay();
}

function stay() {
  clearTimeout(idle);
  if (operator !== null) idle = setTimeout(() => { byId("act").close(); become(null); put(byId("done"), "Signed out after 15 minutes"); }, IDLE_MS);
}

byId("sign").addEventListener("click", () => {
  if (operator !== null) {
    become(null);
    put(byId("done"), "Signed out");
    return;
  }
  say(byId("sign-in"), "");
  byId("token").value = "";
  byId("sign-in").showModal();
});

onSubmit(byId("sign-in"), async () => {
  const user = byId("user").value.trim();
  const token = byId("token").value.trim();
  if (!user) throw new Error("Say who you are: it is recorded with what you do.");
  if (!/^[\x21-\x7e]+$/.test(token)) throw new Error("This is no operator token: it has letters, digits, - and _ only.");
  await ask("/operator", token, {});
  byId("token").value = "";
  become({ user, token });
  put(byId("done"), "Signed in");
});

byId("sign-in").addEventListener("close", () => { byId("token").value = ""; });

// --- acting -----------------------------------------------------------------------------------------------

function openAct(flag) {
  if (operator === null) return;
  stay();
  acting = flag.flag;
  put(byId("act-title"), flag.text);
  put(byId("act-state"), flag.word + (flag.where && " · " + flag.where) + (flag.since && ", since " + flag.since) + (flag.why && " (" + flag.why + ")"));
  put(byId("act-flag"), flag.flag);
  byId("verbs").replaceChildren(...flag.verbs.map((verb, place) => {
    const choice = make("label", "choice");
    const radio = make("input");
    radio.type = "radio";
    radio.name = "verb";
    radio.value = verb;
    radio.checked = place === 0;
    radio.addEventListener("change", fitAct);
    choice.append(radio, " " + DO[verb]);
    return choice;
  }));
  byId("reason").value = "";
  say(byId("act"), "");
  fitAct();
  byId("act").showModal();
}

const chosen = () => byId("verbs").querySelector("input:checked").value;

// What the chosen verb asks for: a time, a reason.
function fitAct() {
  const verb = chosen();
  const times = TIMES[verb] || [];
  byId("for-label").hidden = times.length === 0;
  byId("for").replaceChildren(...times.map(([text, seconds]) => {
    const option = make("option", "", text);
    option.value = seconds === null ? "" : String(seconds);
    return option;
  }));
  const needed = NEEDS_REASON.includes(verb);
  byId("reason").required = needed;
  put(byId("reason-needed"), needed ? "(needed)" : "(if you like)");
}

onSubmit(byId("act"), async () => {
  stay();
  const verb = chosen();
  const reason = byId("reason").value.trim();
  if (NEEDS_REASON.includes(verb) && !reason) throw new Error("Say why: the next shift will want to know.");
  const wish = { verb, flag: acting, user: operator.user, reason };
  if (TIMES[verb] && byId("for").value) wish.for_s = Number(byId("for").value);
  const told = await ask("/flags", operator.token, wish);
  put(byId("done"), told.flag + ": " + told.transition.replaceAll("_", " "));
});

byId("act").addEventListener("close", () => focusFlag(acting));
