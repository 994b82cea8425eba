/**
 * A leash for child processes: `node --import …/leash.ts child.ts`, started with an IPC channel to the parent. When the
 * parent dies, however it dies (kill -9 too), the channel breaks: the process sends itself SIGTERM, so that it may end in
 * order, and exits 5 s later if it is still there.
 *
 * A process that was started without a channel is not on a leash, and nothing happens. The channel keeps no process alive.
 */

const graceMs = 5_000;

if (process.channel !== undefined) {
  process.once("disconnect", () => {
    setTimeout(() => process.exit(1), graceMs).unref();
    process.kill(process.pid, "SIGTERM");
  });
  process.channel.unref();
}
