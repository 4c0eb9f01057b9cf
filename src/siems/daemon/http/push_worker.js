// Shows what siems pushes, and opens what it is about.
"use strict";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => {
  let told = {};
  try {
    told = event.data ? event.data.json() : {};
  } catch {
    told = { title: "siems", body: event.data.text() };
  }
  const links = Object.fromEntries((told.actions || []).map((one) => [one.action, one.url]));
  event.waitUntil(self.registration.showNotification(told.title || "siems", {
    body: told.body || "",
    tag: told.tag || told.key || "",
    renotify: Boolean((told.tag || told.key) && told.requireInteraction),
    requireInteraction: Boolean(told.requireInteraction),
    actions: (told.actions || []).map((one) => ({ action: one.action, title: one.title })),
    data: { url: told.url || "", links },
  }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { url, links } = event.notification.data || {};
  const wanted = (links || {})[event.action] || url;
  if (wanted) event.waitUntil(self.clients.openWindow(wanted));
});
