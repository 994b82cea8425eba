/**
 * What replicas ask of Redis, each in one step: a script runs alone. See redis-replicas.ts for what the keys mean.
 *
 * Always: a lease is renewed and released only by whoever holds it.
 */
import type { Redis } from "ioredis";

export type Sharing = { readonly prefix: string; readonly leaseMs: number; readonly holder: string };

/** Whatever was told is remembered, if only that something was. */
const something = "something";

const takeLua = `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`;

const beginLua = `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SADD', KEYS[3], ARGV[3])
local told = redis.call('SMEMBERS', KEYS[2])
redis.call('DEL', KEYS[2])
return told`;

const endLua = `
if redis.call('EXISTS', KEYS[2]) == 1 then return 1 end
if ARGV[2] == 'rests' and redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
  redis.call('SREM', KEYS[3], ARGV[3])
end
return 0`;

const renewLua = `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SADD', KEYS[2], ARGV[3])
return 1`;

const releaseLua = `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0`;

const waitingLua = `
local found = {}
for _, session in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local holder = redis.call('GET', ARGV[2] .. 'lease:' .. session)
  local told = redis.call('EXISTS', ARGV[2] .. 'told:' .. session) == 1
  if not holder or (told and holder == ARGV[1]) then table.insert(found, session) end
end
return found`;

export class Scripts {
  readonly #redis: Redis;
  readonly #sharing: Sharing;

  constructor(redis: Redis, sharing: Sharing) {
    this.#redis = redis;
    this.#sharing = sharing;
  }

  /** Writes down what was heard of a session, then says so on the channel. */
  async tell(session: string, hint: readonly string[], channel: string): Promise<true> {
    const results = await this.#redis
      .multi()
      .sadd(this.#key("sessions"), session)
      .sadd(this.#key(`told:${session}`), something, ...hint)
      .publish(channel, session)
      .exec();
    for (const [error] of results ?? []) if (error !== null) throw error;
    return true;
  }

  /** Takes or renews a lease; false: somebody else has it. */
  async take(name: string): Promise<boolean> {
    const { holder, leaseMs } = this.#sharing;
    return (await this.#redis.eval(takeLua, 1, this.#key(name), holder, leaseMs)) === 1;
  }

  /** Takes or renews a session's lease and takes what was told of it. */
  async begin(session: string): Promise<readonly string[] | "another"> {
    const { holder, leaseMs } = this.#sharing;
    const answer = await this.#redis.eval(beginLua, 3, ...this.#keysOf(session), holder, leaseMs, session);
    return Array.isArray(answer) ? answer.map(String) : "another";
  }

  /** True: something was told meanwhile. Else a session that rests is let go. */
  async end(session: string, rests: boolean): Promise<boolean> {
    const { holder } = this.#sharing;
    const rest = rests ? "rests" : "stays";
    return (await this.#redis.eval(endLua, 3, ...this.#keysOf(session), holder, rest, session)) === 1;
  }

  /** False: the session is somebody else's by now. */
  async renew(session: string): Promise<boolean> {
    const { holder, leaseMs } = this.#sharing;
    const keys = [this.#key(`lease:${session}`), this.#key("sessions")];
    return (await this.#redis.eval(renewLua, 2, ...keys, holder, leaseMs, session)) === 1;
  }

  /** Lets sessions and tasks go, and says so, so that others take them at once. */
  async release(sessions: readonly string[], tasks: readonly string[], channel: string): Promise<void> {
    const names = [...sessions.map((session) => `lease:${session}`), ...tasks.map((task) => `task:${task}`)];
    for (const name of names) await this.#redis.eval(releaseLua, 1, this.#key(name), this.#sharing.holder);
    for (const session of sessions) await this.#redis.publish(channel, session);
  }

  /** Sessions that nobody holds, and our own of which something was told. */
  async waiting(): Promise<string[]> {
    const { holder, prefix } = this.#sharing;
    const answer = await this.#redis.eval(waitingLua, 1, this.#key("sessions"), holder, prefix);
    return Array.isArray(answer) ? answer.map(String) : [];
  }

  #keysOf(session: string): [string, string, string] {
    return [this.#key(`lease:${session}`), this.#key(`told:${session}`), this.#key("sessions")];
  }

  #key(name: string): string {
    return `${this.#sharing.prefix}${name}`;
  }
}
