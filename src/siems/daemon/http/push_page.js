// Subscribes this browser: the worker beside this file shows what is pushed, the daemon keeps where to push it.
"use strict";

const button = document.querySelector("button");
const said = document.querySelector("output");
const say = (text) => { said.textContent = text; };

function bytes(text) {
  const base64 = (text + "=".repeat((4 - (text.length % 4)) % 4)).replace(/-/g, "+").replace(/_/g, "/");
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

function same(one, other) {
  const left = new Uint8Array(one || []);
  return left.length === other.length && left.every((value, at) => value === other[at]);
}

async function subscription(key) {
  await navigator.serviceWorker.register("worker.js");
  const worker = await navigator.serviceWorker.ready;
  const before = await worker.pushManager.getSubscription();
  if (before && same(before.options.applicationServerKey, key)) return before;
  if (before) await before.unsubscribe(); // of another key: nothing could reach it any more
  return worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
}

function within(seconds, work) {
  const late = new Error("the push service of this browser does not answer; does the network let it through?");
  return Promise.race([work, new Promise((_, fail) => { setTimeout(() => fail(late), seconds * 1000); })]);
}

async function subscribe() {
  say("Asking the browser ...");
  if ((await Notification.requestPermission()) !== "granted") {
    throw new Error("this browser does not allow it: look at the sign beside its address bar, then try again");
  }
  const made = await within(30, subscription(bytes(button.dataset.key)));
  const reply = await fetch(location.href, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(made),
  });
  const answer = await reply.json();
  if (!reply.ok) {
    const hint = answer.hint ? ` (${answer.hint})` : "";
    throw new Error((answer.detail || `the daemon answers ${reply.status}`) + hint);
  }
  say(answer.message);
}

if (!window.isSecureContext) {
  say("Browsers take pushes only for pages that come by https (or from this machine itself).");
} else if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) {
  say("This browser cannot be pushed to. On an iPhone or iPad add this page to the home screen, and open it there.");
} else {
  button.disabled = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await subscribe();
    } catch (why) {
      say(`That did not work: ${why.message}`);
      button.disabled = false;
    }
  });
}
