// The part that is awake when no page is: it shows reminders that came by Web Push (RFC 8030), and opens the Space.
// A worker of its own, and no module of the page.

const WORDS = {
  reminder: ({ when }) => ({ start: "It starts now.", moved: "It was given another time." })[when] ?? "It starts in half an hour.",
  canceled: () => "It was canceled.",
};

self.addEventListener("push", (event) => {
  const news = event.data.json();
  const body = WORDS[news.event]?.(news) ?? "There is news of this Space.";
  const options = { body, tag: news.url, icon: new URL("icon.svg", self.location).href, data: { url: news.url } };
  event.waitUntil(self.registration.showNotification(news.title || "A Space", options));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const home = new URL("..", self.location); // this worker is at web/worker.js below it
  const address = new URL(event.notification.data.url.slice(1), home);
  // Only a place of this page, whatever was sent.
  event.waitUntil(self.clients.openWindow(address.origin === home.origin ? address.href : home.href));
});
