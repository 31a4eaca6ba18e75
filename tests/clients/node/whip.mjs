// What the clients on Node.js share: their task, and one session at a WHIP or WHEP endpoint.

/** What one run is to do: tests/clients/table.py writes it, and pion/main.go says what its fields are. */
export const task = JSON.parse(process.argv.at(-1));

export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Post an offer; returns the answer, and a function that ends the session. */
export async function post(offer) {
  const authorization = `Bearer ${task.token}`;
  const headers = { Authorization: authorization, "Content-Type": "application/sdp" };
  const response = await fetch(task.endpoint, { method: "POST", headers, body: offer });
  const answer = await response.text();
  if (response.status !== 201) throw new Error(`${response.status}: ${answer}`);
  const location = new URL(response.headers.get("Location"), task.endpoint);
  const end = () => fetch(location, { method: "DELETE", headers: { Authorization: authorization } });
  return { answer, end };
}

/** Wait until a condition holds, at most ten seconds. */
export async function until(condition, what) {
  for (let tries = 0; !condition(); tries++) {
    if (tries === 1000) throw new Error(`not ${what} after 10 s`);
    await sleep(10);
  }
}

/** Call a function every so many milliseconds, on an absolute schedule, until the task's time is over. */
export async function forTheTask(milliseconds, each) {
  const start = performance.now();
  for (let number = 0; number * milliseconds < task.seconds * 1000; number++) {
    await sleep(Math.max(0, start + number * milliseconds - performance.now()));
    each(number);
  }
}

/** Run a client to its end; a fault is one line on standard error, and status 1. */
export async function main(run) {
  try {
    await run();
    process.exit(0);
  } catch (fault) {
    console.error(fault.message ?? fault);
    process.exit(1);
  }
}
