import { createHash, randomUUID } from "node:crypto";
import { accessSync, appendFileSync, closeSync, constants, createReadStream, existsSync, lstatSync, openSync, readFileSync, readdirSync, readlinkSync, realpathSync, statSync, unlinkSync, write, writeFileSync, writeSync } from "node:fs";
import { chmod, lstat, mkdir, mkdtemp, opendir, readFile, readdir, readlink, realpath, rename, rm, stat, statfs, symlink, writeFile } from "node:fs/promises";
import { basename, delimiter, dirname, isAbsolute, join, posix, relative } from "node:path";
import { execFile, spawn } from "node:child_process";
import { constants as constants$1, homedir, totalmem, userInfo } from "node:os";
import { pipeline } from "node:stream/promises";
import { StringDecoder } from "node:string_decoder";
import { promisify } from "node:util";

// \0rolldown/runtime.js
var __create = Object.create;
var __defProp = Object.defineProperty;
var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __getProtoOf = Object.getPrototypeOf;
var __hasOwnProp = Object.prototype.hasOwnProperty;
var __commonJSMin = (cb, mod) => () => (mod || (cb((mod = { exports: {} }).exports, mod, mod.exports), cb = null), mod.exports);
var __copyProps = (to, from, except, desc) => {
	if (from && typeof from === "object" || typeof from === "function") {
		for (var keys = __getOwnPropNames(from), i = 0, n = keys.length, key; i < n; i++) {
			key = keys[i];
			if (!__hasOwnProp.call(to, key) && key !== except) {
				__defProp(to, key, {
					get: ((k) => from[k]).bind(null, key),
					enumerable: !(desc = __getOwnPropDesc(from, key)) || desc.enumerable
				});
			}
		}
	}
	return to;
};
var __toESM = (mod, isNodeMode, target) => (target = mod != null ? __create(__getProtoOf(mod)) : {}, __copyProps(isNodeMode || !mod || !mod.__esModule || !__hasOwnProp.call(mod, "default") ? __defProp(target, "default", {
	value: mod,
	enumerable: true
}) : target, mod));

// node_modules/zod/v4/core/util.js
function getEnumValues(entries) {
	const numericValues = Object.values(entries).filter((v) => typeof v === "number");
	return Object.entries(entries).filter(([k, _]) => numericValues.indexOf(+k) === -1).map(([_, v]) => v);
}
function joinValues(array, separator = "|") {
	return array.map((val) => stringifyPrimitive(val)).join(separator);
}
function jsonStringifyReplacer(_, value) {
	if (typeof value === "bigint") return value.toString();
	return value;
}
var Cached = class {
	constructor(getter) {
		this._getter = getter;
		this._value = void 0;
	}
	get value() {
		const getter = this._getter;
		if (getter !== void 0) {
			this._value = getter();
			this._getter = void 0;
		}
		return this._value;
	}
};
function cached(getter) {
	return new Cached(getter);
}
function nullish(input) {
	return input === null || input === void 0;
}
function cleanRegex(source) {
	const start = source.startsWith("^") ? 1 : 0;
	const end = source.endsWith("$") ? source.length - 1 : source.length;
	return source.slice(start, end);
}
function floatSafeRemainder(val, step) {
	const ratio = val / step;
	const roundedRatio = Math.round(ratio);
	const tolerance = 4 * Number.EPSILON * Math.max(Math.abs(ratio), 1);
	if (Math.abs(ratio - roundedRatio) < tolerance) return 0;
	return ratio - roundedRatio;
}
function assignProp(target, prop, value) {
	Object.defineProperty(target, prop, {
		value,
		writable: true,
		enumerable: true,
		configurable: true
	});
}
/**
* Whichever object a def's `shape` currently answers from: the one the caller passed until the first read, the frozen copy after it.
*
* Its keys and descriptors read without invoking anything, which is what lets a discriminated union check its discriminator, and the cycle walk read a shape, without resolving a getter that references the schema being constructed. A def that answers `shape` from an accessor of its own has none.
*/
function rawShape(def) {
	const desc = Object.getOwnPropertyDescriptor(def, "shape");
	return desc?.get ? desc.get.raw : desc?.value;
}
function sourceShape(schema) {
	return rawShape(schema._zod.def) ?? schema._zod.def.shape;
}
function deferProp(target, key, getter) {
	Object.defineProperty(target, key, {
		get() {
			const value = getter();
			assignProp(this, key, value);
			return value;
		},
		enumerable: true,
		configurable: true
	});
}
function putProp(target, key, value) {
	if (key in target) assignProp(target, key, value);
	else target[key] = value;
}
/**
* Copies `keys` of `source`'s shape onto `target`, each value passed through `wrap`.
*
* A key the source has resolved is copied through now, so the derived shape states it outright and nothing has to resolve it to learn what it holds. A key the source still defers stays deferred, and reads back through the source's own `shape`, so it resolves once and both shapes get that one schema.
*/
function mirrorShape(target, source, keys, wrap) {
	const raw = sourceShape(source);
	for (const key of keys) {
		const desc = Object.getOwnPropertyDescriptor(raw, key);
		if (!desc.enumerable) continue;
		if (desc.get) deferProp(target, key, () => {
			const value = source._zod.def.shape[key];
			return wrap ? wrap(value, key) : value;
		});
		else putProp(target, key, wrap ? wrap(desc.value, key) : desc.value);
	}
}
function mirrorProps(target, source) {
	for (const key of Reflect.ownKeys(source)) {
		const desc = Object.getOwnPropertyDescriptor(source, key);
		if (!desc.enumerable) continue;
		if (desc.get) deferProp(target, key, () => source[key]);
		else putProp(target, key, desc.value);
	}
}
function mergeDefs(...defs) {
	const mergedDescriptors = {};
	for (const def of defs) {
		const descriptors = Object.getOwnPropertyDescriptors(def);
		Object.assign(mergedDescriptors, descriptors);
	}
	return Object.defineProperties({}, mergedDescriptors);
}
function esc(str) {
	return JSON.stringify(str);
}
function slugify(input) {
	return input.toLowerCase().trim().replace(/[^\w\s-]/g, "").replace(/[\s_-]+/g, "-").replace(/^-+|-+$/g, "");
}
const captureStackTrace = "captureStackTrace" in Error ? Error.captureStackTrace : (..._args) => {};
function isObject(data) {
	return typeof data === "object" && data !== null && !Array.isArray(data);
}
const allowsEval = /* @__PURE__*/ cached(() => {
	if (globalConfig.jitless) return false;
	if (typeof navigator !== "undefined" && navigator?.userAgent?.includes("Cloudflare")) return false;
	try {
		new Function("");
		return true;
	} catch (_) {
		return false;
	}
});
function isPlainObject(o) {
	if (isObject(o) === false) return false;
	const ctor = o.constructor;
	if (ctor === void 0) return true;
	if (typeof ctor !== "function") return true;
	const prot = ctor.prototype;
	if (isObject(prot) === false) return false;
	if (Object.prototype.hasOwnProperty.call(prot, "isPrototypeOf") === false) return false;
	return true;
}
function shallowClone(o) {
	if (isPlainObject(o)) return { ...o };
	if (Array.isArray(o)) return [...o];
	if (o instanceof Map) return new Map(o);
	if (o instanceof Set) return new Set(o);
	return o;
}
const propertyKeyTypes = /* @__PURE__*/ new Set([
	"string",
	"number",
	"symbol"
]);
function escapeRegex(str) {
	return str.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
function clone(inst, def, params) {
	const cl = new inst._zod.constr(def ?? inst._zod.def);
	if (!def || params?.parent) cl._zod.parent = inst;
	return cl;
}
function normalizeParams(_params) {
	const params = _params;
	if (!params) return {};
	if (typeof params === "string") return { error: () => params };
	if (params?.message !== void 0) {
		if (params?.error !== void 0) throw new Error("Cannot specify both `message` and `error` params");
		params.error = params.message;
	}
	delete params.message;
	if (typeof params.error === "string") return {
		...params,
		error: () => params.error
	};
	return params;
}
function stringifyPrimitive(value) {
	if (typeof value === "bigint") return value.toString() + "n";
	if (typeof value === "string") return `"${value}"`;
	return `${value}`;
}
function optionalKeys(shape) {
	return Object.keys(shape).filter((k) => {
		return shape[k]._zod.optin !== void 0 && shape[k]._zod.optout === "optional";
	});
}
const NUMBER_FORMAT_RANGES = /*@__PURE__*/ (() => ({
	safeint: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
	int32: [-2147483648, 2147483647],
	uint32: [0, 4294967295],
	float32: [-34028234663852886e22, 34028234663852886e22],
	float64: [-Number.MAX_VALUE, Number.MAX_VALUE]
}))();
const BIGINT_FORMAT_RANGES = {
	int64: [/* @__PURE__*/ BigInt("-9223372036854775808"), /* @__PURE__*/ BigInt("9223372036854775807")],
	uint64: [/* @__PURE__*/ BigInt(0), /* @__PURE__*/ BigInt("18446744073709551615")]
};
function pick(schema, mask) {
	const currDef = schema._zod.def;
	const checks = currDef.checks;
	if (checks && checks.length > 0) throw new Error(".pick() cannot be used on object schemas containing refinements");
	const newShape = {};
	mirrorShape(newShape, schema, maskedKeys(schema, mask));
	return clone(schema, mergeDefs(currDef, {
		shape: newShape,
		checks: []
	}));
}
function maskedKeys(schema, mask) {
	const raw = sourceShape(schema);
	const keys = [];
	for (const key of Reflect.ownKeys(mask)) {
		if (!Object.getOwnPropertyDescriptor(raw, key)?.enumerable) throw new Error(`Unrecognized key: "${String(key)}"`);
		if (mask[key]) keys.push(key);
	}
	return keys;
}
function omit(schema, mask) {
	const currDef = schema._zod.def;
	const checks = currDef.checks;
	if (checks && checks.length > 0) throw new Error(".omit() cannot be used on object schemas containing refinements");
	const omitted = new Set(maskedKeys(schema, mask));
	const newShape = {};
	mirrorShape(newShape, schema, Reflect.ownKeys(sourceShape(schema)).filter((key) => !omitted.has(key)));
	return clone(schema, mergeDefs(currDef, {
		shape: newShape,
		checks: []
	}));
}
function extend(schema, shape) {
	if (!isPlainObject(shape)) throw new Error("Invalid input to extend: expected a plain object");
	const checks = schema._zod.def.checks;
	if (checks && checks.length > 0) {
		const existingShape = sourceShape(schema);
		for (const key of Reflect.ownKeys(shape)) if (Object.getOwnPropertyDescriptor(existingShape, key) !== void 0) throw new Error("Cannot overwrite keys on object schemas containing refinements. Use `.safeExtend()` instead.");
	}
	return clone(schema, mergeDefs(schema._zod.def, { shape: extended(schema, shape) }));
}
function extended(schema, shape) {
	const newShape = {};
	mirrorShape(newShape, schema, Reflect.ownKeys(sourceShape(schema)));
	mirrorProps(newShape, shape);
	return newShape;
}
function safeExtend(schema, shape) {
	if (!isPlainObject(shape)) throw new Error("Invalid input to safeExtend: expected a plain object");
	return clone(schema, mergeDefs(schema._zod.def, { shape: extended(schema, shape) }));
}
function merge(a, b) {
	if (!b?._zod?.def) throw new Error("Invalid input to merge: expected an object schema. To merge a plain shape, use `.extend()`.");
	if (a._zod.def.checks?.length) throw new Error(".merge() cannot be used on object schemas containing refinements. Use .safeExtend() instead.");
	const newShape = {};
	mirrorShape(newShape, a, Reflect.ownKeys(sourceShape(a)));
	mirrorShape(newShape, b, Reflect.ownKeys(sourceShape(b)));
	return clone(a, mergeDefs(a._zod.def, {
		shape: newShape,
		get catchall() {
			return b._zod.def.catchall;
		},
		checks: b._zod.def.checks ?? []
	}));
}
function partial(Class, schema, mask, name = "partial") {
	const checks = schema._zod.def.checks;
	if (checks && checks.length > 0) throw new Error(`.${name}() cannot be used on object schemas containing refinements`);
	const selected = mask ? new Set(maskedKeys(schema, mask)) : void 0;
	const newShape = {};
	mirrorShape(newShape, schema, Reflect.ownKeys(sourceShape(schema)), Class && ((value, key) => selected && !selected.has(key) ? value : new Class({
		type: "optional",
		innerType: value
	})));
	return clone(schema, mergeDefs(schema._zod.def, {
		shape: newShape,
		checks: []
	}));
}
function required(Class, schema, mask) {
	const selected = mask ? new Set(maskedKeys(schema, mask)) : void 0;
	const newShape = {};
	mirrorShape(newShape, schema, Reflect.ownKeys(sourceShape(schema)), (value, key) => selected && !selected.has(key) ? value : new Class({
		type: "nonoptional",
		innerType: value
	}));
	return clone(schema, mergeDefs(schema._zod.def, { shape: newShape }));
}
function aborted(x, startIndex = 0) {
	if (x.aborted === true) return true;
	for (let i = startIndex; i < x.issues.length; i++) if (x.issues[i]?.continue !== true) return true;
	return false;
}
function explicitlyAborted(x, startIndex = 0) {
	if (x.aborted === true) return true;
	for (let i = startIndex; i < x.issues.length; i++) if (x.issues[i]?.continue === false) return true;
	return false;
}
function prefixIssues(path, issues) {
	return issues.map((iss) => {
		var _a;
		(_a = iss).path ?? (_a.path = []);
		iss.path.unshift(path);
		return iss;
	});
}
function unwrapMessage(message) {
	return typeof message === "string" ? message : message?.message;
}
/** The leading size checks of `defChecks` that set an upper bound, each paired with it. */
function sizeCaps(defChecks) {
	const caps = [];
	for (const ch of defChecks ?? []) {
		const d = ch._zod.def;
		if (!/_(length|size)$|_equals$/.test(d.check)) break;
		const max = d.maximum ?? d.length ?? d.size;
		if (max >= 0) caps.push([max, ch]);
	}
	return caps;
}
function attachSchema(issues, start, inst) {
	var _a;
	for (let i = start; i < issues.length; i++) (_a = issues[i]).schema ?? (_a.schema = inst);
}
function finalizeIssue(iss, ctx, config) {
	var _a;
	const traits = iss.inst?._zod?.traits;
	if (traits?.has("$ZodType")) {
		if (traits.has("$ZodCheck")) (_a = iss).schema ?? (_a.schema = iss.inst);
		else iss.schema = iss.inst;
	}
	const schemaError = iss.schema !== iss.inst ? iss.schema?._zod.def?.error : void 0;
	const message = iss.message ? iss.message : unwrapMessage(iss.inst?._zod.def?.error?.(iss)) ?? unwrapMessage(schemaError?.(iss)) ?? unwrapMessage(ctx?.error?.(iss)) ?? unwrapMessage(config.customError?.(iss)) ?? unwrapMessage(config.localeError?.(iss)) ?? "Invalid input";
	const full = {};
	for (const k of Object.keys(iss)) {
		if (k === "inst" || k === "schema" || k === "continue" || k === "input" || k === "__proto__") continue;
		full[k] = iss[k];
	}
	full.path ?? (full.path = []);
	full.message = message;
	if (ctx?.reportInput) full.input = iss.input;
	return full;
}
const highSurrogate = /[\uD800-\uDBFF]/;
function codePointLength(str) {
	const units = str.length;
	if (!highSurrogate.test(str)) return units;
	let count = units;
	for (let i = 0; i < units - 1; i++) if ((str.charCodeAt(i) & 64512) === 55296 && (str.charCodeAt(i + 1) & 64512) === 56320) {
		count--;
		i++;
	}
	return count;
}
function getLengthableOrigin(input) {
	if (Array.isArray(input)) return "array";
	if (typeof input === "string") return "string";
	return "unknown";
}
function parsedType(data) {
	const t = typeof data;
	switch (t) {
		case "number": return Number.isNaN(data) ? "nan" : "number";
		case "object": {
			if (data === null) return "null";
			if (Array.isArray(data)) return "array";
			const obj = data;
			if (obj && Object.getPrototypeOf(obj) !== Object.prototype && "constructor" in obj && obj.constructor) return obj.constructor.name;
		}
	}
	return t;
}
function issue(...args) {
	const [iss, input, inst] = args;
	if (typeof iss === "string") return {
		message: iss,
		code: "custom",
		input,
		inst
	};
	return { ...iss };
}
/**
* Installs a trait's members on its prototype. Each value builds that member for the instance on first read; the built value shadows the accessor as an own property, so a detached `const { parse } = schema` keeps working.
*
* Call this from a `proto` initializer, which runs once per prototype — never per instance.
*/
function members(proto, table) {
	for (const key in table) {
		const desc = Object.getOwnPropertyDescriptor(table, key);
		if (desc.get) Object.defineProperty(proto, key, {
			...desc,
			enumerable: false
		});
		else defineBound(proto, key, desc.value);
	}
}
/** Shadows a prototype member with an own value, so a getter that builds from the instance runs once. */
function own(inst, key, value, enumerable = true) {
	Object.defineProperty(inst, key, {
		configurable: true,
		writable: true,
		enumerable,
		value
	});
	return value;
}
/** Like {@link own}, for a member that was never an own data property and has to stay out of `Object.keys`. */
function hide(inst, key, value) {
	return own(inst, key, value, false);
}
/** Adds members a table derives from the instance: each builds on first read and shadows as own data, and assignment shadows the same way, as when these were own properties. */
/* @__NO_SIDE_EFFECTS__ */
function derived(computes, table) {
	for (const key in computes) {
		const compute = computes[key];
		Object.defineProperty(table, key, {
			configurable: true,
			enumerable: true,
			get() {
				return own(this, key, compute(this));
			},
			set(value) {
				own(this, key, value);
			}
		});
	}
	return table;
}
function defineBound(proto, key, fn) {
	Object.defineProperty(proto, key, {
		configurable: true,
		get() {
			return this == null ? fn : own(this, key, fn.bind(this));
		},
		set(value) {
			own(this, key, value);
		}
	});
}
/** Returns the prototype to install on, or `undefined` if this group is already installed on it. */
function claim(inst, sentinel) {
	const proto = Object.getPrototypeOf(inst);
	return sentinel in proto ? void 0 : proto;
}
let installing;
let broke = false;
const breaker = {
	configurable: true,
	get() {
		broke = true;
	}
};
/**
* Installs a lazily-derived internal on the `_zod` prototype of `inst`'s
* constructor, computed from the internals object itself and cached there on
* first read. One accessor per constructor rather than one per instance.
*/
function defineLazyInternal(inst, key, compute) {
	const proto = Object.getPrototypeOf(inst._zod);
	if (key in proto && installing !== inst._zod) {
		installing = void 0;
		return;
	}
	installing = inst._zod;
	Object.defineProperty(proto, key, {
		configurable: true,
		get() {
			Object.defineProperty(this, key, breaker);
			const outer = broke;
			broke = false;
			try {
				const value = compute(this);
				if (broke) delete this[key];
				else Object.defineProperty(this, key, {
					configurable: true,
					writable: true,
					value
				});
				broke = broke || outer;
				return value;
			} catch (err) {
				delete this[key];
				broke = broke || outer;
				throw err;
			}
		},
		set(value) {
			Object.defineProperty(this, key, {
				configurable: true,
				writable: true,
				value
			});
		}
	});
}
/**
* Installs `key` on `inst`'s prototype, computed by `make` on first read and cached there as an own
* data property. One accessor per constructor rather than one per instance, because an own accessor
* puts every instance after the first into v8 dictionary mode. The key doubles as the sentinel.
*/
function installLazyProp(inst, key, make, enumerable) {
	const proto = claim(inst, key);
	if (!proto) return;
	Object.defineProperty(proto, key, {
		configurable: true,
		get() {
			const desc = {
				configurable: true,
				writable: true,
				enumerable,
				value: void 0
			};
			Object.defineProperty(this, key, desc);
			desc.value = make(this);
			Object.defineProperty(this, key, desc);
			return desc.value;
		},
		set(value) {
			Object.defineProperty(this, key, {
				configurable: true,
				writable: true,
				enumerable,
				value
			});
		}
	});
}
/** Marks the thunk `_catch` synthesises for a constant catch value. `Function.length` cannot tell that thunk from a user callback — rest and defaulted parameters both report arity 0 — and a user callback reads `ctx.error`, whose issues only finalize correctly against the caller's per-parse error map. Provenance can say what arity cannot. A plain string key rather than `Symbol.for`, whose call at module scope no bundler can prove pure — the same shape that anchored `urlCanParse` into every build. */
const CONSTANT_CATCH = "~constantCatch";
/** Wraps a constant catch value in a thunk tagged with {@link CONSTANT_CATCH}. */
function constantCatch(value) {
	const fn = () => value;
	fn[CONSTANT_CATCH] = true;
	return fn;
}

// node_modules/zod/v4/core/core.js
var _a$1;
/** A special constant with type `never` */
const NEVER = /*@__PURE__*/ Object.freeze({ status: "aborted" });
const _zodDesc = {
	value: void 0,
	enumerable: false
};
let _E = "captureStackTrace" in Error ? Error : null;
function newError(Definition) {
	const E = _E;
	if (E) {
		const saved = E.stackTraceLimit;
		if (typeof saved === "number") {
			try {
				E.stackTraceLimit = 0;
			} catch {
				_E = null;
				return new Definition();
			}
			try {
				return new Definition();
			} finally {
				E.stackTraceLimit = saved;
			}
		}
	}
	return new Definition();
}
/* @__NO_SIDE_EFFECTS__ */
function $constructor(name, initializer, proto, params) {
	const zodProto = {};
	function Internals(def) {
		this.def = def;
		this.constr = _;
		this.traits = /* @__PURE__ */ new Set();
	}
	Internals.prototype = zodProto;
	const protoMembers = proto;
	const initialized = protoMembers && /* @__PURE__ */ new WeakSet();
	function init(inst, def) {
		if (!inst._zod) {
			_zodDesc.value = new Internals(def);
			try {
				Object.defineProperty(inst, "_zod", _zodDesc);
			} finally {
				_zodDesc.value = void 0;
			}
		} else if (inst._zod.traits.has(name)) return;
		inst._zod.traits.add(name);
		initializer(inst, def);
		if (initialized) {
			const own = Object.getPrototypeOf(inst);
			const ctorProto = inst._zod.constr.prototype;
			let up = own;
			while (up && up !== ctorProto) up = Object.getPrototypeOf(up);
			const target = up ?? own;
			if (!initialized.has(target)) {
				initialized.add(target);
				members(target, protoMembers);
			}
		}
		const proto = _.prototype;
		for (const k in proto) {
			if (!Object.prototype.hasOwnProperty.call(proto, k)) continue;
			if (!(k in inst)) inst[k] = proto[k].bind(inst);
		}
	}
	const Parent = params?.Parent ?? Object;
	class Definition extends Parent {}
	Object.defineProperty(Definition, "name", { value: name });
	function _(def) {
		const inst = params?.Parent ? newError(Definition) : this;
		init(inst, def);
		const deferred = inst._zod.deferred;
		if (deferred) {
			for (const fn of deferred) fn();
			inst._zod.deferred = void 0;
		}
		const pp = globalThis.__zod_globalConfig?.postProcessor;
		if (pp) pp(inst);
		return inst;
	}
	Object.defineProperty(_, "init", { value: init });
	Object.defineProperty(_, Symbol.hasInstance, { value: (inst) => {
		if (params?.Parent && inst instanceof params.Parent) return true;
		return inst?._zod?.traits?.has(name);
	} });
	Object.defineProperty(_, "name", { value: name });
	return _;
}
var $ZodAsyncError = class extends Error {
	constructor() {
		super(`Encountered Promise during synchronous parse. Use .parseAsync() instead.`);
	}
};
var $ZodEncodeError = class extends Error {
	constructor(name) {
		super(`Encountered unidirectional transform during encode: ${name}`);
		this.name = "ZodEncodeError";
	}
};
(_a$1 = globalThis).__zod_globalConfig ?? (_a$1.__zod_globalConfig = {});
const globalConfig = globalThis.__zod_globalConfig;
function config(newConfig) {
	if (newConfig) Object.assign(globalConfig, newConfig);
	return globalConfig;
}

// node_modules/zod/v4/core/errors.js
function _getMessage() {
	const internals = this._zod;
	internals.message ?? (internals.message = JSON.stringify(internals.def, jsonStringifyReplacer, 2));
	return internals.message;
}
function _setMessage(value) {
	this._zod.message = value;
}
const _messageDesc = {
	get: _getMessage,
	set: _setMessage,
	enumerable: true,
	configurable: true
};
const _issuesDesc = {
	value: void 0,
	enumerable: false
};
const _installedToString = /* @__PURE__ */ new WeakSet([Object.prototype, Error.prototype]);
const initializer$1 = (inst, def) => {
	inst.name = "$ZodError";
	_issuesDesc.value = def;
	Object.defineProperty(inst, "issues", _issuesDesc);
	_issuesDesc.value = void 0;
	Object.defineProperty(inst, "message", _messageDesc);
	const proto = Object.getPrototypeOf(inst);
	if (!_installedToString.has(proto)) {
		_installedToString.add(proto);
		Object.defineProperty(proto, "toString", {
			configurable: true,
			enumerable: false,
			get() {
				const value = () => this.message;
				Object.defineProperty(this, "toString", {
					value,
					configurable: true,
					writable: true
				});
				return value;
			},
			set(value) {
				Object.defineProperty(this, "toString", {
					value,
					configurable: true,
					writable: true
				});
			}
		});
	}
};
const $ZodError = /* @__PURE__ */ $constructor("$ZodError", initializer$1);
/** Get-or-create `obj[key]` as an own data property. A path segment naming an inherited member
* ("toString", "constructor") would otherwise read through to the prototype, and assigning
* "__proto__" would hit the setter instead of creating a key. */
function node(obj, key, make) {
	if (!Object.prototype.hasOwnProperty.call(obj, key)) {
		if (key === "__proto__") Object.defineProperty(obj, key, {
			value: make(),
			writable: true,
			enumerable: true,
			configurable: true
		});
		else obj[key] = make();
	}
	return obj[key];
}
function flattenError(error, mapper = (issue) => issue.message) {
	const fieldErrors = {};
	const formErrors = [];
	for (const sub of error.issues) if (sub.path.length > 0) node(fieldErrors, sub.path[0], () => []).push(mapper(sub));
	else formErrors.push(mapper(sub));
	return {
		formErrors,
		fieldErrors
	};
}
function formatError(error, mapper = (issue) => issue.message) {
	const fieldErrors = { _errors: [] };
	const processError = (error, path = []) => {
		for (const issue of error.issues) if (issue.code === "invalid_union" && issue.errors.length) issue.errors.map((issues) => processError({ issues }, [...path, ...issue.path]));
		else if (issue.code === "invalid_key") processError({ issues: issue.issues }, [...path, ...issue.path]);
		else if (issue.code === "invalid_element") processError({ issues: issue.issues }, [...path, ...issue.path]);
		else {
			const fullpath = [...path, ...issue.path];
			if (fullpath.length === 0) fieldErrors._errors.push(mapper(issue));
			else {
				let curr = fieldErrors;
				let i = 0;
				while (i < fullpath.length) {
					const el = fullpath[i];
					const terminal = i === fullpath.length - 1;
					if (el === "_errors") {
						if (terminal) curr._errors.push(mapper(issue));
						i++;
						continue;
					}
					if (!Object.prototype.hasOwnProperty.call(curr, el)) Object.defineProperty(curr, el, {
						value: { _errors: [] },
						enumerable: true,
						writable: true,
						configurable: true
					});
					const node = curr[el];
					if (terminal) node._errors.push(mapper(issue));
					curr = node;
					i++;
				}
			}
		}
	};
	processError(error);
	return fieldErrors;
}

// node_modules/zod/v4/core/parse.js
function finalizeParams(callee, params) {
	return {
		callee: params?.callee ?? callee,
		Err: params?.Err
	};
}
const _parse = (_Err) => {
	const fn = (schema, value, _ctx, _params) => {
		const ctx = _ctx ? {
			..._ctx,
			async: false
		} : { async: false };
		const result = schema._zod.run({
			value,
			issues: []
		}, ctx);
		if (result instanceof Promise) throw new $ZodAsyncError();
		if (result.issues.length) {
			const e = new ((_params?.Err) ?? _Err)(result.issues.map((iss) => finalizeIssue(iss, ctx, config())));
			captureStackTrace(e, _params?.callee ?? fn);
			throw e;
		}
		return result.value;
	};
	return fn;
};
const _parseAsync = (_Err) => {
	const fn = async (schema, value, _ctx, params) => {
		const ctx = _ctx ? {
			..._ctx,
			async: true
		} : { async: true };
		let result = schema._zod.run({
			value,
			issues: []
		}, ctx);
		if (result instanceof Promise) result = await result;
		if (result.issues.length) {
			const e = new ((params?.Err) ?? _Err)(result.issues.map((iss) => finalizeIssue(iss, ctx, config())));
			captureStackTrace(e, params?.callee ?? fn);
			throw e;
		}
		return result.value;
	};
	return fn;
};
const _safeParse = (_Err) => (schema, value, _ctx) => {
	const ctx = _ctx ? {
		..._ctx,
		async: false
	} : { async: false };
	const result = schema._zod.run({
		value,
		issues: []
	}, ctx);
	if (result instanceof Promise) throw new $ZodAsyncError();
	return result.issues.length ? failure(_Err, result.issues, ctx) : {
		success: true,
		data: result.value
	};
};
function failure(Err, issues, ctx) {
	let error;
	return {
		success: false,
		get error() {
			if (!error) {
				error = new Err(issues.map((iss) => finalizeIssue(iss, ctx, config())));
				issues = void 0;
				ctx = void 0;
			}
			return error;
		},
		set error(e) {
			error = e;
			issues = void 0;
			ctx = void 0;
		}
	};
}
const _safeParseAsync = (_Err) => async (schema, value, _ctx) => {
	const ctx = _ctx ? {
		..._ctx,
		async: true
	} : { async: true };
	let result = schema._zod.run({
		value,
		issues: []
	}, ctx);
	if (result instanceof Promise) result = await result;
	return result.issues.length ? failure(_Err, result.issues, ctx) : {
		success: true,
		data: result.value
	};
};
const COMPILE_INVALID = /* @__PURE__ */ Symbol.for("zod.compile.invalid");
const COMPILE_FALLBACK = /* @__PURE__ */ Symbol.for("zod.compile.fallback");
const validate = ((schema, value, _ctx) => {
	const validator = schema._zod.bag.validator;
	if (validator !== void 0) {
		if (validator(value) !== COMPILE_INVALID) return true;
		if (validator.definite === true && _ctx === void 0) return false;
	}
	return validateFallback(schema, value, _ctx);
});
function validateFallback(schema, value, _ctx) {
	const ctx = _ctx ? {
		..._ctx,
		async: false,
		abortEarly: true
	} : {
		async: false,
		abortEarly: true
	};
	const fallbackRun = schema._zod.bag.fallbackRun;
	let result;
	if (fallbackRun) {
		ctx[COMPILE_FALLBACK] = true;
		result = fallbackRun({
			value,
			issues: []
		}, ctx);
	} else result = schema._zod.run({
		value,
		issues: []
	}, ctx);
	if (result instanceof Promise) throw new $ZodAsyncError();
	return result.issues.length === 0;
}
const validateAsync$1 = async (schema, value, _ctx) => {
	const ctx = _ctx ? {
		..._ctx,
		async: true,
		abortEarly: true
	} : {
		async: true,
		abortEarly: true
	};
	let result = schema._zod.run({
		value,
		issues: []
	}, ctx);
	if (result instanceof Promise) result = await result;
	return result.issues.length === 0;
};
const _encode = (_Err) => {
	const parse = _parse(_Err);
	const fn = (schema, value, _ctx, _params) => {
		const ctx = _ctx ? {
			..._ctx,
			direction: "backward"
		} : { direction: "backward" };
		return parse(schema, value, ctx, finalizeParams(fn, _params));
	};
	return fn;
};
const _decode = (_Err) => {
	const parse = _parse(_Err);
	const fn = (schema, value, _ctx, _params) => {
		return parse(schema, value, _ctx, finalizeParams(fn, _params));
	};
	return fn;
};
const _encodeAsync = (_Err) => {
	const parseAsync = _parseAsync(_Err);
	const fn = async (schema, value, _ctx, _params) => {
		const ctx = _ctx ? {
			..._ctx,
			direction: "backward"
		} : { direction: "backward" };
		return await parseAsync(schema, value, ctx, finalizeParams(fn, _params));
	};
	return fn;
};
const _decodeAsync = (_Err) => {
	const parseAsync = _parseAsync(_Err);
	const fn = async (schema, value, _ctx, _params) => {
		return await parseAsync(schema, value, _ctx, finalizeParams(fn, _params));
	};
	return fn;
};
const _safeEncode = (_Err) => (schema, value, _ctx) => {
	const ctx = _ctx ? {
		..._ctx,
		direction: "backward"
	} : { direction: "backward" };
	return _safeParse(_Err)(schema, value, ctx);
};
const _safeDecode = (_Err) => (schema, value, _ctx) => {
	return _safeParse(_Err)(schema, value, _ctx);
};
const _safeEncodeAsync = (_Err) => async (schema, value, _ctx) => {
	const ctx = _ctx ? {
		..._ctx,
		direction: "backward"
	} : { direction: "backward" };
	return _safeParseAsync(_Err)(schema, value, ctx);
};
const _safeDecodeAsync = (_Err) => async (schema, value, _ctx) => {
	return _safeParseAsync(_Err)(schema, value, _ctx);
};

// node_modules/zod/v4/core/regexes.js
/**
* @deprecated CUID v1 is deprecated by its authors due to information leakage
* (timestamps embedded in the id). Use {@link cuid2} instead.
* See https://github.com/paralleldrive/cuid.
*/
const cuid = /^[cC][0-9a-z]{6,}$/;
const cuid2 = /^[0-9a-z]+$/;
const ulid = /^[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}$/;
const xid = /^[0-9a-vA-V]{20}$/;
const ksuid = /^[A-Za-z0-9]{27}$/;
const nanoid = /^[a-zA-Z0-9_-]{21}$/;
function nanoidOfLength(length) {
	return new RegExp(`^[a-zA-Z0-9_-]{${length}}$`);
}
/** ISO 8601-1 duration regex. Does not support the 8601-2 extensions like negative durations or fractional/negative components. */
const duration = /^P(?:(\d+W)|(?!.*W)(?=\d|T\d)(\d+Y)?(\d+M)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+([.,]\d+)?S)?)?)$/;
/** A regex for any UUID-like identifier: 8-4-4-4-12 hex pattern */
const guid = /^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$/;
/** Returns a regex for validating an RFC 9562/4122 UUID.
*
* @param version Optionally specify a version 1-8. If no version is specified, all versions are supported. */
const uuid = (version) => {
	if (!version) return /^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}|00000000-0000-0000-0000-000000000000|ffffffff-ffff-ffff-ffff-ffffffffffff)$/;
	return new RegExp(`^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-${version}[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12})$`);
};
/** Practical email validation */
const email = /^(?:[A-Za-z0-9_'+\-]+\.)*[A-Za-z0-9_'+\-]*[A-Za-z0-9_+-]@(?:[A-Za-z0-9][A-Za-z0-9\-]*\.)+[A-Za-z]{2,}$/;
const _emoji$1 = `^(?=[\\s\\S]*[\\p{Extended_Pictographic}\\p{Regional_Indicator}\\u20E3])[\\p{Extended_Pictographic}\\p{Emoji_Component}]+$`;
function emoji() {
	return new RegExp(_emoji$1, "u");
}
const ipv4 = /^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9][0-9]|[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9][0-9]|[0-9])$/;
const ipv6 = /^(([0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}|([0-9a-fA-F]{1,4}:){1,7}:|([0-9a-fA-F]{1,4}:){1,6}:[0-9a-fA-F]{1,4}|([0-9a-fA-F]{1,4}:){1,5}(:[0-9a-fA-F]{1,4}){1,2}|([0-9a-fA-F]{1,4}:){1,4}(:[0-9a-fA-F]{1,4}){1,3}|([0-9a-fA-F]{1,4}:){1,3}(:[0-9a-fA-F]{1,4}){1,4}|([0-9a-fA-F]{1,4}:){1,2}(:[0-9a-fA-F]{1,4}){1,5}|[0-9a-fA-F]{1,4}:((:[0-9a-fA-F]{1,4}){1,6})|:((:[0-9a-fA-F]{1,4}){1,7}|:))$/;
const cidrv4 = /^((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9][0-9]|[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9][0-9]|[0-9])\/([0-9]|[1-2][0-9]|3[0-2])$/;
const cidrv6 = /^(([0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}|([0-9a-fA-F]{1,4}:){1,7}:|([0-9a-fA-F]{1,4}:){1,6}:[0-9a-fA-F]{1,4}|([0-9a-fA-F]{1,4}:){1,5}(:[0-9a-fA-F]{1,4}){1,2}|([0-9a-fA-F]{1,4}:){1,4}(:[0-9a-fA-F]{1,4}){1,3}|([0-9a-fA-F]{1,4}:){1,3}(:[0-9a-fA-F]{1,4}){1,4}|([0-9a-fA-F]{1,4}:){1,2}(:[0-9a-fA-F]{1,4}){1,5}|[0-9a-fA-F]{1,4}:((:[0-9a-fA-F]{1,4}){1,6})|:((:[0-9a-fA-F]{1,4}){1,7}|:))\/(12[0-8]|1[01][0-9]|[1-9]?[0-9])$/;
const base64 = /^$|^(?:[0-9a-zA-Z+/]{4})*(?:(?:[0-9a-zA-Z+/]{2}==)|(?:[0-9a-zA-Z+/]{3}=))?$/;
const base64url = /^(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2,3})?$/;
const httpProtocol = /^https?$/;
const e164 = /^\+[1-9]\d{6,14}$/;
const dateSource = `(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))`;
/** Anchors a pattern source. The interpolation lives here rather than at the call site because
* esbuild will not drop a `@__PURE__` call whose own argument interpolates a variable, but it
* will drop `anchor(dateSource)`. Keeping it inline pinned `date` into every bundle. */
function anchor(source) {
	return new RegExp(`^${source}$`);
}
const date = /*@__PURE__*/ anchor(dateSource);
function timeSource(args) {
	const hhmm = `(?:[01]\\d|2[0-3]):[0-5]\\d`;
	return typeof args.precision === "number" ? args.precision === -1 ? `${hhmm}` : args.precision === 0 ? `${hhmm}:[0-5]\\d` : `${hhmm}:[0-5]\\d\\.\\d{${args.precision}}` : args.seconds ? `${hhmm}:[0-5]\\d(?:\\.\\d+)?` : `${hhmm}(?::[0-5]\\d(?:\\.\\d+)?)?`;
}
function time(args) {
	return new RegExp(`^${timeSource(args)}$`);
}
function datetime(args) {
	const opts = ["Z"];
	if (args.offset) opts.push(`([+-](?:[01]\\d|2[0-3]):[0-5]\\d)`);
	const qualified = `${timeSource({
		precision: args.precision,
		seconds: true
	})}(?:${opts.join("|")})`;
	const timeRegex = args.local ? `${qualified}|${timeSource({ precision: args.precision })}` : qualified;
	return new RegExp(`^${dateSource}T(?:${timeRegex})$`);
}
const anyString = /^[\s\S]{0,}$/;
const integer = /^-?\d+$/;
const number$2 = /^-?\d+(?:\.\d+)?$/;
const lowercase = /^[^A-Z]*$/;
const uppercase = /^[^a-z]*$/;

// node_modules/zod/v4/core/checks.js
const $ZodCheck = /*@__PURE__*/ $constructor("$ZodCheck", (inst, def) => {
	var _a;
	inst._zod ?? (inst._zod = {});
	inst._zod.def = def;
	(_a = inst._zod).onattach ?? (_a.onattach = []);
});
/** Default `when` for length-based checks: run only on non-nullish values with a `length`. */
const _whenHasLength = (payload) => {
	const val = payload.value;
	return !nullish(val) && val.length !== void 0;
};
const numericOriginMap = {
	number: "number",
	bigint: "bigint",
	object: "date"
};
const $ZodCheckLessThan = /*@__PURE__*/ $constructor("$ZodCheckLessThan", (inst, def) => {
	$ZodCheck.init(inst, def);
	const origin = numericOriginMap[typeof def.value];
	inst._zod.check = (payload) => {
		if (def.inclusive ? payload.value <= def.value : payload.value < def.value) return;
		payload.issues.push({
			origin: numericOriginMap[typeof payload.value] ?? origin,
			code: "too_big",
			maximum: typeof def.value === "object" ? def.value.getTime() : def.value,
			input: payload.value,
			inclusive: def.inclusive,
			inst,
			continue: !def.abort
		});
	};
});
const $ZodCheckGreaterThan = /*@__PURE__*/ $constructor("$ZodCheckGreaterThan", (inst, def) => {
	$ZodCheck.init(inst, def);
	const origin = numericOriginMap[typeof def.value];
	inst._zod.check = (payload) => {
		if (def.inclusive ? payload.value >= def.value : payload.value > def.value) return;
		payload.issues.push({
			origin: numericOriginMap[typeof payload.value] ?? origin,
			code: "too_small",
			minimum: typeof def.value === "object" ? def.value.getTime() : def.value,
			input: payload.value,
			inclusive: def.inclusive,
			inst,
			continue: !def.abort
		});
	};
});
const $ZodCheckMultipleOf = /*@__PURE__*/ $constructor("$ZodCheckMultipleOf", (inst, def) => {
	$ZodCheck.init(inst, def);
	inst._zod.check = (payload) => {
		if (typeof payload.value !== typeof def.value) throw new Error("Cannot mix number and bigint in multiple_of check.");
		if (typeof payload.value === "bigint" ? def.value !== BigInt(0) && payload.value % def.value === BigInt(0) : floatSafeRemainder(payload.value, def.value) === 0) return;
		payload.issues.push({
			origin: typeof payload.value,
			code: "not_multiple_of",
			divisor: def.value,
			input: payload.value,
			inst,
			continue: !def.abort
		});
	};
});
const $ZodCheckNumberFormat = /*@__PURE__*/ $constructor("$ZodCheckNumberFormat", (inst, def) => {
	$ZodCheck.init(inst, def);
	def.format = def.format || "float64";
	const isInt = def.format?.includes("int");
	const origin = isInt ? "int" : "number";
	const [minimum, maximum] = NUMBER_FORMAT_RANGES[def.format];
	inst._zod.check = (payload) => {
		const input = payload.value;
		if (isInt) {
			if (!Number.isInteger(input)) {
				payload.issues.push({
					expected: origin,
					format: def.format,
					code: "invalid_type",
					continue: false,
					input,
					inst
				});
				return;
			}
			if (!Number.isSafeInteger(input)) {
				if (input > 0) payload.issues.push({
					input,
					code: "too_big",
					maximum: Number.MAX_SAFE_INTEGER,
					note: "Integers must be within the safe integer range.",
					inst,
					origin,
					inclusive: true,
					continue: !def.abort
				});
				else payload.issues.push({
					input,
					code: "too_small",
					minimum: Number.MIN_SAFE_INTEGER,
					note: "Integers must be within the safe integer range.",
					inst,
					origin,
					inclusive: true,
					continue: !def.abort
				});
				return;
			}
		}
		if (input < minimum) payload.issues.push({
			origin: "number",
			input,
			code: "too_small",
			minimum,
			inclusive: true,
			inst,
			continue: !def.abort
		});
		if (input > maximum) payload.issues.push({
			origin: "number",
			input,
			code: "too_big",
			maximum,
			inclusive: true,
			inst,
			continue: !def.abort
		});
	};
});
const $ZodCheckMaxLength = /*@__PURE__*/ $constructor("$ZodCheckMaxLength", (inst, def) => {
	var _a;
	$ZodCheck.init(inst, def);
	(_a = inst._zod.def).when ?? (_a.when = _whenHasLength);
	inst._zod.check = (payload) => {
		const input = payload.value;
		const units = input.length;
		if ((typeof input === "string" && units > def.maximum ? codePointLength(input) : units) <= def.maximum) return;
		const origin = getLengthableOrigin(input);
		payload.issues.push({
			origin,
			code: "too_big",
			maximum: def.maximum,
			inclusive: true,
			input,
			inst,
			continue: !def.abort
		});
	};
});
const $ZodCheckMinLength = /*@__PURE__*/ $constructor("$ZodCheckMinLength", (inst, def) => {
	var _a;
	$ZodCheck.init(inst, def);
	(_a = inst._zod.def).when ?? (_a.when = _whenHasLength);
	inst._zod.check = (payload) => {
		const input = payload.value;
		const units = input.length;
		if ((typeof input === "string" && units >= def.minimum && units < def.minimum * 2 ? codePointLength(input) : units) >= def.minimum) return;
		const origin = getLengthableOrigin(input);
		payload.issues.push({
			origin,
			code: "too_small",
			minimum: def.minimum,
			inclusive: true,
			input,
			inst,
			continue: !def.abort
		});
	};
});
const $ZodCheckLengthEquals = /*@__PURE__*/ $constructor("$ZodCheckLengthEquals", (inst, def) => {
	var _a;
	$ZodCheck.init(inst, def);
	(_a = inst._zod.def).when ?? (_a.when = _whenHasLength);
	inst._zod.check = (payload) => {
		const input = payload.value;
		const units = input.length;
		const length = typeof input === "string" && units >= def.length && units <= def.length * 2 ? codePointLength(input) : units;
		if (length === def.length) return;
		const origin = getLengthableOrigin(input);
		const tooBig = length > def.length;
		payload.issues.push({
			origin,
			...tooBig ? {
				code: "too_big",
				maximum: def.length
			} : {
				code: "too_small",
				minimum: def.length
			},
			inclusive: true,
			exact: true,
			input: payload.value,
			inst,
			continue: !def.abort
		});
	};
});
const $ZodCheckStringFormat = /*@__PURE__*/ $constructor("$ZodCheckStringFormat", (inst, def) => {
	var _a, _b;
	$ZodCheck.init(inst, def);
	if (def.pattern) (_a = inst._zod).check ?? (_a.check = (payload) => {
		def.pattern.lastIndex = 0;
		if (def.pattern.test(payload.value)) return;
		payload.issues.push({
			origin: "string",
			code: "invalid_format",
			format: def.format,
			input: payload.value,
			...def.pattern ? { pattern: def.pattern.toString() } : {},
			inst,
			continue: !def.abort
		});
	});
	else (_b = inst._zod).check ?? (_b.check = () => {});
});
const $ZodCheckRegex = /*@__PURE__*/ $constructor("$ZodCheckRegex", (inst, def) => {
	$ZodCheckStringFormat.init(inst, def);
	inst._zod.check = (payload) => {
		def.pattern.lastIndex = 0;
		if (def.pattern.test(payload.value)) return;
		payload.issues.push({
			origin: "string",
			code: "invalid_format",
			format: "regex",
			input: payload.value,
			pattern: def.pattern.toString(),
			inst,
			continue: !def.abort
		});
	};
});
const $ZodCheckLowerCase = /*@__PURE__*/ $constructor("$ZodCheckLowerCase", (inst, def) => {
	def.pattern ?? (def.pattern = lowercase);
	$ZodCheckStringFormat.init(inst, def);
});
const $ZodCheckUpperCase = /*@__PURE__*/ $constructor("$ZodCheckUpperCase", (inst, def) => {
	def.pattern ?? (def.pattern = uppercase);
	$ZodCheckStringFormat.init(inst, def);
});
const $ZodCheckIncludes = /*@__PURE__*/ $constructor("$ZodCheckIncludes", (inst, def) => {
	$ZodCheck.init(inst, def);
	const escapedRegex = escapeRegex(def.includes);
	def.pattern = new RegExp(typeof def.position === "number" ? `^.{${def.position},}${escapedRegex}` : escapedRegex);
	inst._zod.check = (payload) => {
		if (payload.value.includes(def.includes, def.position)) return;
		payload.issues.push({
			origin: "string",
			code: "invalid_format",
			format: "includes",
			includes: def.includes,
			input: payload.value,
			inst,
			continue: !def.abort
		});
	};
});
const $ZodCheckStartsWith = /*@__PURE__*/ $constructor("$ZodCheckStartsWith", (inst, def) => {
	$ZodCheck.init(inst, def);
	const pattern = new RegExp(`^${escapeRegex(def.prefix)}.*`);
	def.pattern ?? (def.pattern = pattern);
	inst._zod.check = (payload) => {
		if (payload.value.startsWith(def.prefix)) return;
		payload.issues.push({
			origin: "string",
			code: "invalid_format",
			format: "starts_with",
			prefix: def.prefix,
			input: payload.value,
			inst,
			continue: !def.abort
		});
	};
});
const $ZodCheckEndsWith = /*@__PURE__*/ $constructor("$ZodCheckEndsWith", (inst, def) => {
	$ZodCheck.init(inst, def);
	const pattern = new RegExp(`.*${escapeRegex(def.suffix)}$`);
	def.pattern ?? (def.pattern = pattern);
	inst._zod.check = (payload) => {
		if (payload.value.endsWith(def.suffix)) return;
		payload.issues.push({
			origin: "string",
			code: "invalid_format",
			format: "ends_with",
			suffix: def.suffix,
			input: payload.value,
			inst,
			continue: !def.abort
		});
	};
});
const $ZodCheckOverwrite = /*@__PURE__*/ $constructor("$ZodCheckOverwrite", (inst, def) => {
	$ZodCheck.init(inst, def);
	inst._zod.check = (payload) => {
		payload.value = def.tx(payload.value);
	};
});

// node_modules/zod/v4/core/doc.js
var Doc = class {
	constructor(args = [], closed = {}) {
		this.content = [];
		this.indent = 0;
		this.args = args;
		this.closed = closed;
	}
	indented(fn) {
		this.indent += 1;
		try {
			fn(this);
		} finally {
			this.indent -= 1;
		}
	}
	write(arg) {
		if (typeof arg === "function") {
			arg(this, { execution: "sync" });
			arg(this, { execution: "async" });
			return;
		}
		const lines = arg.split("\n").filter((x) => x);
		const minIndent = Math.min(...lines.map((x) => x.length - x.trimStart().length));
		const dedented = lines.map((x) => x.slice(minIndent)).map((x) => " ".repeat(this.indent * 2) + x);
		for (const line of dedented) this.content.push(line);
	}
	compile() {
		const F = Function;
		const content = this?.content ?? [``];
		return new F(...Object.keys(this.closed), `return function (${this.args.join(", ")}) {\n${content.join("\n")}\n};`)(...Object.values(this.closed));
	}
};

// node_modules/zod/v4/core/versions.js
const version = {
	major: 4,
	minor: 6,
	patch: 7
};

// node_modules/zod/v4/core/schemas.js
const $ZodType = /*@__PURE__*/ $constructor("$ZodType", (inst, def) => {
	var _a;
	inst ?? (inst = {});
	inst._zod.def = def;
	inst._zod.bag = inst._zod.bag || {};
	inst._zod.version = version;
	const defChecks = inst._zod.def.checks;
	const checks = inst._zod.traits.has("$ZodCheck") ? [inst, ...defChecks ?? []] : defChecks?.length ? [...defChecks] : [];
	for (const ch of checks) for (const fn of ch._zod.onattach) fn(inst);
	if (checks.length === 0) {
		(_a = inst._zod).deferred ?? (_a.deferred = []);
		inst._zod.deferred?.push(() => {
			inst._zod.run = inst._zod.parse;
		});
	} else {
		const runChecks = (payload, checks, ctx) => {
			if (payload.memo) return payload;
			let isAborted = aborted(payload);
			let asyncResult;
			for (const ch of checks) {
				if (ch._zod.def.when) {
					if (explicitlyAborted(payload)) continue;
					if (!ch._zod.def.when(payload)) continue;
				} else if (isAborted) continue;
				const currLen = payload.issues.length;
				const _ = ch._zod.check(payload);
				if (_ instanceof Promise && ctx?.async === false) throw new $ZodAsyncError();
				if (asyncResult || _ instanceof Promise) asyncResult = (asyncResult ?? Promise.resolve()).then(async () => {
					await _;
					if (payload.issues.length === currLen) return;
					attachSchema(payload.issues, currLen, inst);
					if (!isAborted) isAborted = aborted(payload, currLen);
				});
				else {
					if (payload.issues.length === currLen) continue;
					attachSchema(payload.issues, currLen, inst);
					if (!isAborted) isAborted = aborted(payload, currLen);
				}
			}
			if (asyncResult) return asyncResult.then(() => {
				return payload;
			});
			return payload;
		};
		const handleCanaryResult = (canary, payload, ctx) => {
			if (aborted(canary)) {
				canary.aborted = true;
				return canary;
			}
			const checkResult = runChecks(payload, checks, ctx);
			if (checkResult instanceof Promise) {
				if (ctx.async === false) throw new $ZodAsyncError();
				return checkResult.then((checkResult) => inst._zod.parse(checkResult, ctx));
			}
			return inst._zod.parse(checkResult, ctx);
		};
		inst._zod.run = (payload, ctx) => {
			if (ctx.skipChecks) return inst._zod.parse(payload, ctx);
			if (ctx.direction === "backward") {
				const canary = inst._zod.parse({
					value: payload.value,
					issues: []
				}, {
					...ctx,
					skipChecks: true
				});
				if (canary instanceof Promise) return canary.then((canary) => {
					return handleCanaryResult(canary, payload, ctx);
				});
				return handleCanaryResult(canary, payload, ctx);
			}
			const result = inst._zod.parse(payload, ctx);
			if (result instanceof Promise) {
				if (ctx.async === false) throw new $ZodAsyncError();
				return result.then((result) => runChecks(result, checks, ctx));
			}
			return runChecks(result, checks, ctx);
		};
	}
}, {
	get "~standard"() {
		return hide(this, "~standard", standardProps(this));
	},
	set "~standard"(value) {
		own(this, "~standard", value);
	}
});
/** The Standard Schema surface for `inst`. Shared so wrappers can extend it without forcing it. */
const toStandardResult = (r, ctx) => r.issues.length ? { issues: r.issues.map((iss) => finalizeIssue(iss, ctx, config())) } : { value: r.value };
async function validateAsync(inst, value) {
	const ctx = { async: true };
	return toStandardResult(await inst._zod.run({
		value,
		issues: []
	}, ctx), ctx);
}
function standardProps(inst) {
	return {
		validate: (value) => {
			const ctx = { async: false };
			try {
				const r = inst._zod.run({
					value,
					issues: []
				}, ctx);
				if (!(r instanceof Promise)) return toStandardResult(r, ctx);
			} catch (_) {}
			return validateAsync(inst, value);
		},
		vendor: "zod",
		version: 1
	};
}
const $ZodString = /*@__PURE__*/ $constructor("$ZodString", (inst, def) => {
	$ZodType.init(inst, def);
	inst._zod.pattern = def.pattern ?? anyString;
	inst._zod.parse = (payload, _) => {
		if (def.coerce) try {
			payload.value = String(payload.value);
		} catch (_) {}
		if (typeof payload.value === "string") return payload;
		payload.issues.push({
			expected: "string",
			code: "invalid_type",
			input: payload.value,
			inst
		});
		return payload;
	};
});
const $ZodStringFormat = /*@__PURE__*/ $constructor("$ZodStringFormat", (inst, def) => {
	$ZodCheckStringFormat.init(inst, def);
	$ZodString.init(inst, def);
});
const $ZodGUID = /*@__PURE__*/ $constructor("$ZodGUID", (inst, def) => {
	def.pattern ?? (def.pattern = guid);
	$ZodStringFormat.init(inst, def);
});
const $ZodUUID = /*@__PURE__*/ $constructor("$ZodUUID", (inst, def) => {
	if (def.version) {
		const v = {
			v1: 1,
			v2: 2,
			v3: 3,
			v4: 4,
			v5: 5,
			v6: 6,
			v7: 7,
			v8: 8
		}[def.version];
		if (v === void 0) throw new Error(`Invalid UUID version: "${def.version}"`);
		def.pattern ?? (def.pattern = uuid(v));
	} else def.pattern ?? (def.pattern = uuid());
	$ZodStringFormat.init(inst, def);
});
const $ZodEmail = /*@__PURE__*/ $constructor("$ZodEmail", (inst, def) => {
	def.pattern ?? (def.pattern = email);
	$ZodStringFormat.init(inst, def);
});
/** The `://` guard rejected the input before the URL constructor saw it. */
const URL_BAD_FORMAT = 1;
/** The URL parser rejected the input. */
const URL_UNPARSEABLE = 2;
function canParseURL(input) {
	try {
		if (typeof URL !== "undefined" && typeof URL.canParse === "function") return URL.canParse(input);
		new URL(input);
		return true;
	} catch {
		return false;
	}
}
function validateURL(trimmed, def) {
	if (!("normalize" in def) && !("hostname" in def) && !("protocol" in def)) return canParseURL(trimmed) || 2;
	return parseURLObject(trimmed, def);
}
/** Parses a URL while preserving the non-normalizing HTTP guard. */
function parseURLObject(trimmed, def) {
	if (!def.normalize && def.protocol?.source === httpProtocol.source && !/^https?:\/\//i.test(trimmed)) return 1;
	try {
		if (typeof URL !== "undefined") {
			const URLStatic = URL;
			if (typeof URLStatic.parse === "function") return URLStatic.parse(trimmed) ?? 2;
		}
		return new URL(trimmed);
	} catch {
		return 2;
	}
}
const asciiTabOrNewline = /[\t\n\r]/g;
/** The URL parser deletes every ASCII tab, LF and CR from its input before it parses, so `new URL("https://exa\nmple.com")` reports on `example.com`. Applying the same deletion to the returned value closes the half of that divergence which can move the host; the parser's other rewrite, stripping C0 controls at the edges, cannot. */
function stripTabAndNewline(value) {
	return value.replace(asciiTabOrNewline, "");
}
function urlHostnameOk(url, hostname) {
	hostname.lastIndex = 0;
	return hostname.test(url.hostname);
}
function urlProtocolOk(url, protocol) {
	protocol.lastIndex = 0;
	return protocol.test(url.protocol.endsWith(":") ? url.protocol.slice(0, -1) : url.protocol);
}
const $ZodURL = /*@__PURE__*/ $constructor("$ZodURL", (inst, def) => {
	$ZodStringFormat.init(inst, def);
	inst._zod.check = (payload) => {
		try {
			const trimmed = payload.value.trim();
			const url = validateURL(trimmed, def);
			if (url === 1) {
				payload.issues.push({
					code: "invalid_format",
					format: "url",
					note: "Invalid URL format",
					input: payload.value,
					inst,
					continue: !def.abort
				});
				return;
			}
			if (url === 2) {
				payload.issues.push({
					code: "invalid_format",
					format: "url",
					input: payload.value,
					inst,
					continue: !def.abort
				});
				return;
			}
			if (url === true) {
				payload.value = stripTabAndNewline(trimmed);
				return;
			}
			if (def.hostname && !urlHostnameOk(url, def.hostname)) payload.issues.push({
				code: "invalid_format",
				format: "url",
				note: "Invalid hostname",
				pattern: def.hostname.source,
				input: payload.value,
				inst,
				continue: !def.abort
			});
			if (def.protocol && !urlProtocolOk(url, def.protocol)) payload.issues.push({
				code: "invalid_format",
				format: "url",
				note: "Invalid protocol",
				pattern: def.protocol.source,
				input: payload.value,
				inst,
				continue: !def.abort
			});
			payload.value = def.normalize ? url.href : stripTabAndNewline(trimmed);
			return;
		} catch (_) {
			payload.issues.push({
				code: "invalid_format",
				format: "url",
				input: payload.value,
				inst,
				continue: !def.abort
			});
		}
	};
});
const $ZodEmoji = /*@__PURE__*/ $constructor("$ZodEmoji", (inst, def) => {
	def.pattern ?? (def.pattern = emoji());
	$ZodStringFormat.init(inst, def);
});
const $ZodNanoID = /*@__PURE__*/ $constructor("$ZodNanoID", (inst, def) => {
	if (def.length !== void 0 && (!Number.isInteger(def.length) || def.length < 1)) throw new Error(`Invalid nanoid length: ${def.length}`);
	def.pattern ?? (def.pattern = def.length === void 0 ? nanoid : nanoidOfLength(def.length));
	$ZodStringFormat.init(inst, def);
});
/**
* @deprecated CUID v1 is deprecated by its authors due to information leakage
* (timestamps embedded in the id). Use {@link $ZodCUID2} instead.
* See https://github.com/paralleldrive/cuid.
*/
const $ZodCUID = /*@__PURE__*/ $constructor("$ZodCUID", (inst, def) => {
	def.pattern ?? (def.pattern = cuid);
	$ZodStringFormat.init(inst, def);
});
const $ZodCUID2 = /*@__PURE__*/ $constructor("$ZodCUID2", (inst, def) => {
	def.pattern ?? (def.pattern = cuid2);
	$ZodStringFormat.init(inst, def);
});
const $ZodULID = /*@__PURE__*/ $constructor("$ZodULID", (inst, def) => {
	def.pattern ?? (def.pattern = ulid);
	$ZodStringFormat.init(inst, def);
});
const $ZodXID = /*@__PURE__*/ $constructor("$ZodXID", (inst, def) => {
	def.pattern ?? (def.pattern = xid);
	$ZodStringFormat.init(inst, def);
});
const $ZodKSUID = /*@__PURE__*/ $constructor("$ZodKSUID", (inst, def) => {
	def.pattern ?? (def.pattern = ksuid);
	$ZodStringFormat.init(inst, def);
});
const $ZodISODateTime = /*@__PURE__*/ $constructor("$ZodISODateTime", (inst, def) => {
	def.pattern ?? (def.pattern = datetime(def));
	$ZodStringFormat.init(inst, def);
});
const $ZodISODate = /*@__PURE__*/ $constructor("$ZodISODate", (inst, def) => {
	def.pattern ?? (def.pattern = date);
	$ZodStringFormat.init(inst, def);
});
const $ZodISOTime = /*@__PURE__*/ $constructor("$ZodISOTime", (inst, def) => {
	def.pattern ?? (def.pattern = time(def));
	$ZodStringFormat.init(inst, def);
});
const $ZodISODuration = /*@__PURE__*/ $constructor("$ZodISODuration", (inst, def) => {
	def.pattern ?? (def.pattern = duration);
	$ZodStringFormat.init(inst, def);
});
const $ZodIPv4 = /*@__PURE__*/ $constructor("$ZodIPv4", (inst, def) => {
	def.pattern ?? (def.pattern = ipv4);
	$ZodStringFormat.init(inst, def);
});
/** An IPv6 address is written with hex digits, colons and dots, and nothing else. The guard is what makes the check below an IPv6 check: `new URL("http://[...]")` parses an authority, not an address, so `@` and `\` re-delimit it and `"::@1\\"` validates against the host `0.0.0.1`. The URL parser also deletes ASCII tab, LF and CR rather than failing, which is how `"::1\n"` validated as `::1`. */
const ipv6Alphabet = /^[0-9a-fA-F:.]+$/;
function isValidIPv6(value) {
	if (!ipv6Alphabet.test(value)) return false;
	return canParseURL(`http://[${value}]`);
}
const $ZodIPv6 = /*@__PURE__*/ $constructor("$ZodIPv6", (inst, def) => {
	def.pattern ?? (def.pattern = ipv6);
	$ZodStringFormat.init(inst, def);
	inst._zod.check = (payload) => {
		if (!isValidIPv6(payload.value)) payload.issues.push({
			code: "invalid_format",
			format: "ipv6",
			input: payload.value,
			inst,
			continue: !def.abort
		});
	};
});
const $ZodCIDRv4 = /*@__PURE__*/ $constructor("$ZodCIDRv4", (inst, def) => {
	def.pattern ?? (def.pattern = cidrv4);
	$ZodStringFormat.init(inst, def);
});
function isValidCIDRv6(value) {
	const parts = value.split("/");
	if (parts.length !== 2) return false;
	const [address, prefix] = parts;
	if (!prefix) return false;
	const prefixNum = Number(prefix);
	if (`${prefixNum}` !== prefix) return false;
	if (prefixNum < 0 || prefixNum > 128) return false;
	return isValidIPv6(address);
}
const $ZodCIDRv6 = /*@__PURE__*/ $constructor("$ZodCIDRv6", (inst, def) => {
	def.pattern ?? (def.pattern = cidrv6);
	$ZodStringFormat.init(inst, def);
	inst._zod.check = (payload) => {
		if (!isValidCIDRv6(payload.value)) payload.issues.push({
			code: "invalid_format",
			format: "cidrv6",
			input: payload.value,
			inst,
			continue: !def.abort
		});
	};
});
function isValidBase64(data) {
	if (data === "") return true;
	if (/\s/.test(data)) return false;
	if (data.length % 4 !== 0) return false;
	try {
		atob(data);
		return true;
	} catch {
		return false;
	}
}
const base64Charset = /^[0-9a-zA-Z+/]*={0,2}$/;
const $ZodBase64 = /*@__PURE__*/ $constructor("$ZodBase64", (inst, def) => {
	def.pattern ?? (def.pattern = base64Charset);
	$ZodStringFormat.init(inst, def);
	inst._zod.check = (payload) => {
		if (isValidBase64(payload.value)) return;
		payload.issues.push({
			code: "invalid_format",
			format: "base64",
			input: payload.value,
			inst,
			continue: !def.abort
		});
	};
});
const base64urlCharset = /^[A-Za-z0-9_-]*$/;
function isValidBase64URL(data) {
	if (!base64urlCharset.test(data)) return false;
	const base64 = data.replace(/[-_]/g, (c) => c === "-" ? "+" : "/");
	return isValidBase64(base64.padEnd(Math.ceil(base64.length / 4) * 4, "="));
}
const $ZodBase64URL = /*@__PURE__*/ $constructor("$ZodBase64URL", (inst, def) => {
	def.pattern ?? (def.pattern = base64urlCharset);
	$ZodStringFormat.init(inst, def);
	inst._zod.check = (payload) => {
		if (isValidBase64URL(payload.value)) return;
		payload.issues.push({
			code: "invalid_format",
			format: "base64url",
			input: payload.value,
			inst,
			continue: !def.abort
		});
	};
});
const $ZodE164 = /*@__PURE__*/ $constructor("$ZodE164", (inst, def) => {
	def.pattern ?? (def.pattern = e164);
	$ZodStringFormat.init(inst, def);
});
function isValidJWT(token, algorithm = null) {
	try {
		const tokensParts = token.split(".");
		if (tokensParts.length !== 3) return false;
		const [header] = tokensParts;
		if (!header) return false;
		const parsedHeader = JSON.parse(atob(header));
		if ("typ" in parsedHeader && parsedHeader?.typ !== "JWT") return false;
		if (!parsedHeader.alg) return false;
		if (algorithm && (!("alg" in parsedHeader) || parsedHeader.alg !== algorithm)) return false;
		return true;
	} catch {
		return false;
	}
}
const $ZodJWT = /*@__PURE__*/ $constructor("$ZodJWT", (inst, def) => {
	$ZodStringFormat.init(inst, def);
	inst._zod.check = (payload) => {
		if (isValidJWT(payload.value, def.alg)) return;
		payload.issues.push({
			code: "invalid_format",
			format: "jwt",
			input: payload.value,
			inst,
			continue: !def.abort
		});
	};
});
const $ZodNumber = /*@__PURE__*/ $constructor("$ZodNumber", (inst, def) => {
	$ZodType.init(inst, def);
	inst._zod.pattern = number$2;
	inst._zod.parse = (payload, _ctx) => {
		if (def.coerce) try {
			payload.value = Number(payload.value);
		} catch (_) {}
		const input = payload.value;
		if (typeof input === "number" && !Number.isNaN(input) && Number.isFinite(input)) return payload;
		const received = typeof input === "number" ? Number.isNaN(input) ? "NaN" : !Number.isFinite(input) ? String(input) : void 0 : void 0;
		payload.issues.push({
			expected: "number",
			code: "invalid_type",
			input,
			inst,
			...received ? { received } : {}
		});
		return payload;
	};
});
const $ZodNumberFormat = /*@__PURE__*/ $constructor("$ZodNumberFormat", (inst, def) => {
	$ZodCheckNumberFormat.init(inst, def);
	$ZodNumber.init(inst, def);
});
const $ZodUnknown = /*@__PURE__*/ $constructor("$ZodUnknown", (inst, def) => {
	$ZodType.init(inst, def);
	inst._zod.parse = (payload) => payload;
});
const $ZodNever = /*@__PURE__*/ $constructor("$ZodNever", (inst, def) => {
	$ZodType.init(inst, def);
	inst._zod.parse = (payload, _ctx) => {
		payload.issues.push({
			expected: "never",
			code: "invalid_type",
			input: payload.value,
			inst
		});
		return payload;
	};
});
function capSize(inst, size) {
	const caps = sizeCaps(inst._zod.def.checks);
	if (!caps.length) return;
	const cap = Math.min(...caps.map((c) => c[0]));
	const parse = inst._zod.parse;
	inst._zod.parse = (payload, ctx) => {
		const n = size(payload.value);
		if (n > cap && !ctx?.skipChecks && ctx?.direction !== "backward") {
			for (const [max, ch] of sizeCaps(inst._zod.def.checks)) if (n > max && ch._zod.def.when(payload)) {
				const start = payload.issues.length;
				ch._zod.check(payload);
				payload.issues[start].continue = false;
				attachSchema(payload.issues, start, inst);
				return payload;
			}
		}
		return parse(payload, ctx);
	};
}
const arraySize = (input) => Array.isArray(input) ? input.length : -1;
function handleArrayResult(result, final, index) {
	if (result.issues.length) final.issues.push(...prefixIssues(index, result.issues));
	final.value[index] = result.value;
}
const $ZodArray = /*@__PURE__*/ $constructor("$ZodArray", (inst, def) => {
	$ZodType.init(inst, def);
	const memo = globalConfig.memoizer;
	memo?.attach(inst);
	inst._zod.parse = (payload, ctx) => {
		const input = payload.value;
		if (!Array.isArray(input)) {
			payload.issues.push({
				expected: "array",
				code: "invalid_type",
				input,
				inst
			});
			return payload;
		}
		payload.value = memo ? memo.alloc(inst, payload, Array(input.length), ctx) : Array(input.length);
		const proms = [];
		const abortEarly = ctx?.abortEarly;
		for (let i = 0; i < input.length; i++) {
			const item = input[i];
			const result = def.element._zod.run({
				value: item,
				issues: []
			}, ctx);
			if (result instanceof Promise) proms.push(result.then((result) => handleArrayResult(result, payload, i)));
			else {
				handleArrayResult(result, payload, i);
				if (abortEarly && result.issues.length !== 0 && aborted(result)) break;
			}
		}
		if (proms.length) return Promise.all(proms).then(() => payload);
		return payload;
	};
	capSize(inst, arraySize);
});
function handlePropertyResult(result, final, key, input, optin, optout) {
	const isPresent = key in input;
	const isOptionalOut = optout === "optional";
	if (!isPresent && isOptionalOut && optin === "optional") return;
	if (result.issues.length) {
		if (optin !== void 0 && isOptionalOut && !isPresent) return;
		final.issues.push(...prefixIssues(key, result.issues));
	}
	if (!isPresent && optin === void 0) {
		if (!result.issues.length) final.issues.push({
			code: "invalid_type",
			expected: "nonoptional",
			input: void 0,
			path: [key]
		});
		return;
	}
	if (result.value === void 0) {
		if (isPresent || optin === "defaulted" && !isOptionalOut) final.value[key] = void 0;
	} else final.value[key] = result.value;
}
const NO_SYMBOL_KEYS = [];
function normalizeDef(def) {
	const keys = Object.keys(def.shape);
	const ownSymbols = Object.getOwnPropertySymbols(def.shape);
	const symbolKeys = ownSymbols.length ? ownSymbols : NO_SYMBOL_KEYS;
	const allKeys = symbolKeys.length ? [...keys, ...symbolKeys] : keys;
	for (const k of allKeys) if (!def.shape?.[k]?._zod?.traits?.has("$ZodType")) throw new Error(`Invalid element at key "${String(k)}": expected a Zod schema`);
	const okeys = optionalKeys(def.shape);
	return {
		...def,
		allKeys,
		symbolKeys,
		keySet: new Set(keys),
		numKeys: keys.length,
		optionalKeys: new Set(okeys)
	};
}
function handleCatchall(proms, input, payload, ctx, def, inst, abortEarly) {
	const unrecognized = [];
	const keySet = def.keySet;
	const _catchall = def.catchall._zod;
	const t = _catchall.def.type;
	const optin = _catchall.optin;
	const optout = _catchall.optout;
	let seen = 0;
	for (const key in input) {
		if (abortEarly && payload.issues.length !== seen) {
			if (aborted(payload, seen)) break;
			seen = payload.issues.length;
		}
		if (keySet.has(key)) continue;
		if (key === "__proto__") {
			if (t === "never") unrecognized.push(key);
			continue;
		}
		if (t === "never") {
			unrecognized.push(key);
			continue;
		}
		const r = _catchall.run({
			value: input[key],
			issues: []
		}, ctx);
		if (r instanceof Promise) proms.push(r.then((r) => handlePropertyResult(r, payload, key, input, optin, optout)));
		else handlePropertyResult(r, payload, key, input, optin, optout);
	}
	if (unrecognized.length) payload.issues.push({
		code: "unrecognized_keys",
		keys: unrecognized,
		input,
		inst,
		continue: true
	});
	if (!proms.length) return payload;
	return Promise.all(proms).then(() => {
		return payload;
	});
}
const $ZodObject = /*@__PURE__*/ $constructor("$ZodObject", (inst, def) => {
	$ZodType.init(inst, def);
	const desc = Object.getOwnPropertyDescriptor(def, "shape");
	const sh = desc?.get ? desc.get.raw : def.shape ?? {};
	if (sh) {
		const get = () => {
			const newSh = { ...sh };
			Object.defineProperty(def, "shape", { value: newSh });
			get.raw = newSh;
			return newSh;
		};
		get.raw = sh;
		Object.defineProperty(def, "shape", { get });
	}
	const _normalized = cached(() => normalizeDef(def));
	defineLazyInternal(inst, "propValues", (zod) => {
		const shape = zod.def.shape;
		const propValues = {};
		for (const key in shape) {
			const field = shape[key]._zod;
			if (field.values) {
				if (!Object.prototype.hasOwnProperty.call(propValues, key)) assignProp(propValues, key, /* @__PURE__ */ new Set());
				for (const v of field.values) propValues[key].add(v);
				if (field.optin !== void 0) propValues[key].add(void 0);
			}
		}
		return propValues;
	});
	const isObject$1 = isObject;
	const catchall = def.catchall;
	let value;
	const memo = globalConfig.memoizer;
	memo?.attach(inst);
	inst._zod.parse = (payload, ctx) => {
		value ?? (value = _normalized.value);
		const input = payload.value;
		if (!isObject$1(input)) {
			payload.issues.push({
				expected: "object",
				code: "invalid_type",
				input,
				inst
			});
			return payload;
		}
		payload.value = memo ? memo.alloc(inst, payload, {}, ctx) : {};
		const proms = [];
		const shape = value.shape;
		const abortEarly = ctx?.abortEarly;
		let seen = payload.issues.length;
		for (const key of value.allKeys) {
			if (abortEarly && payload.issues.length !== seen) {
				if (aborted(payload, seen)) break;
				seen = payload.issues.length;
			}
			if (key === "__proto__") continue;
			const el = shape[key];
			const optin = el._zod.optin;
			const optout = el._zod.optout;
			const r = el._zod.run({
				value: input[key],
				issues: []
			}, ctx);
			if (r instanceof Promise) proms.push(r.then((r) => handlePropertyResult(r, payload, key, input, optin, optout)));
			else handlePropertyResult(r, payload, key, input, optin, optout);
		}
		if (!catchall) return proms.length ? Promise.all(proms).then(() => payload) : payload;
		return handleCatchall(proms, input, payload, ctx, _normalized.value, inst, abortEarly === true);
	};
});
const $ZodObjectJIT = /*@__PURE__*/ $constructor("$ZodObjectJIT", (inst, def) => {
	$ZodObject.init(inst, def);
	const superParse = inst._zod.parse;
	const _normalized = cached(() => normalizeDef(def));
	const memo = globalConfig.memoizer;
	const generateFastpass = (shape) => {
		const normalized = _normalized.value;
		const syms = normalized.symbolKeys;
		const doc = new Doc(["payload", "ctx"], {
			shape,
			inst,
			memo,
			syms
		});
		const parseStr = (k) => `shape[${k}]._zod.run({ value: input[${k}], issues: [] }, ctx)`;
		const prefixStr = (id, k) => `
          let ${id}_ab = false;
          for (let i = 0; i < ${id}.issues.length; i++) {
            const iss = ${id}.issues[i];
            iss.path = iss.path ? [${k}, ...iss.path] : [${k}];
            payload.issues.push(iss);
            if (iss.continue !== true) ${id}_ab = true;
          }
          if (${id}_ab && ctx && ctx.abortEarly) {
            payload.value = newResult;
            return payload;
          }`;
		doc.write(`const input = payload.value;`);
		const ids = Object.create(null);
		let counter = 0;
		for (const key of normalized.allKeys) ids[key] = `key_${counter++}`;
		doc.write(memo ? `const newResult = memo.alloc(inst, payload, {}, ctx);` : `const newResult = {};`);
		for (const key of normalized.allKeys) {
			if (key === "__proto__") continue;
			const id = ids[key];
			const k = typeof key === "symbol" ? `syms[${syms.indexOf(key)}]` : esc(key);
			const isPresent = `${k} in input`;
			const schema = shape[key];
			const optin = schema?._zod?.optin;
			const isOptionalIn = optin !== void 0;
			const isOptionalOut = schema?._zod?.optout === "optional";
			doc.write(`const ${id} = ${parseStr(k)};`);
			if (isOptionalIn && isOptionalOut) {
				const assign = optin === "optional" ? `${id}_present` : `${id}.value !== undefined || ${id}_present`;
				doc.write(`
        const ${id}_present = ${isPresent};
        if (!${id}.issues.length || ${id}_present) {
          if (${id}.issues.length) {${prefixStr(id, k)}
          }

          if (${assign}) {
            newResult[${k}] = ${id}.value;
          }
        }

      `);
			} else if (!isOptionalIn) doc.write(`
        const ${id}_present = ${isPresent};
        if (${id}.issues.length) {${prefixStr(id, k)}
        }
        if (!${id}_present && !${id}.issues.length) {
          payload.issues.push({
            code: "invalid_type",
            expected: "nonoptional",
            input: undefined,
            path: [${k}]
          });
          if (ctx && ctx.abortEarly) {
            payload.value = newResult;
            return payload;
          }
        }

        if (${id}_present) {
          newResult[${k}] = ${id}.value;
        }

      `);
			else {
				doc.write(`
        if (${id}.issues.length) {${prefixStr(id, k)}
        }
      `);
				if (optin === "defaulted") doc.write(`newResult[${k}] = ${id}.value;`);
				else doc.write(`
        if (${id}.value !== undefined || ${isPresent}) {
          newResult[${k}] = ${id}.value;
        }
      `);
			}
		}
		doc.write(`payload.value = newResult;`);
		doc.write(`return payload;`);
		return doc.compile();
	};
	let fastpass;
	const isObject$2 = isObject;
	const jit = !globalConfig.jitless;
	const allowsEval$1 = allowsEval;
	const fastEnabled = jit && allowsEval$1.value;
	const catchall = def.catchall;
	let value;
	inst._zod.parse = (payload, ctx) => {
		value ?? (value = _normalized.value);
		const input = payload.value;
		if (!isObject$2(input)) {
			payload.issues.push({
				expected: "object",
				code: "invalid_type",
				input,
				inst
			});
			return payload;
		}
		if (jit && fastEnabled && ctx?.async === false && ctx.jitless !== true) {
			if (!fastpass) fastpass = generateFastpass(def.shape);
			payload = fastpass(payload, ctx);
			if (!catchall) return payload;
			return handleCatchall([], input, payload, ctx, value, inst, ctx?.abortEarly === true);
		}
		return superParse(payload, ctx);
	};
});
function handleUnionResults(results, final, inst, ctx) {
	for (const result of results) if (result.issues.length === 0) {
		final.value = result.value;
		return final;
	}
	const nonaborted = results.filter((r) => !aborted(r));
	if (nonaborted.length === 1) {
		final.value = nonaborted[0].value;
		return nonaborted[0];
	}
	final.issues.push({
		code: "invalid_union",
		input: final.value,
		inst,
		errors: results.map((result) => result.issues.map((iss) => finalizeIssue(iss, ctx, config())))
	});
	return final;
}
const $ZodUnion = /*@__PURE__*/ $constructor("$ZodUnion", (inst, def) => {
	$ZodType.init(inst, def);
	defineLazyInternal(inst, "optin", (zod) => zod.def.options.some((o) => o._zod.optin === "defaulted") ? "defaulted" : zod.def.options.some((o) => o._zod.optin !== void 0) ? "optional" : void 0);
	defineLazyInternal(inst, "optout", (zod) => zod.def.options.some((o) => o._zod.optout === "optional") ? "optional" : void 0);
	defineLazyInternal(inst, "values", (zod) => {
		if (zod.def.options.every((o) => o._zod.values)) return new Set(zod.def.options.flatMap((option) => Array.from(option._zod.values)));
	});
	defineLazyInternal(inst, "pattern", (zod) => {
		if (zod.def.options.every((o) => o._zod.pattern)) {
			const patterns = zod.def.options.map((o) => o._zod.pattern);
			return new RegExp(`^(${patterns.map((p) => cleanRegex(p.source)).join("|")})$`);
		}
	});
	const first = def.options.length === 1 ? def.options[0]._zod.run : null;
	inst._zod.parse = (payload, ctx) => {
		if (first) return first(payload, ctx);
		let async = false;
		const results = [];
		for (const option of def.options) {
			const result = option._zod.run({
				value: payload.value,
				issues: []
			}, ctx);
			if (result instanceof Promise) {
				results.push(result);
				async = true;
			} else {
				if (result.issues.length === 0) return result;
				results.push(result);
			}
		}
		if (!async) return handleUnionResults(results, payload, inst, ctx);
		return Promise.all(results).then((results) => {
			return handleUnionResults(results, payload, inst, ctx);
		});
	};
});
function discriminatorMap(def) {
	const map = /* @__PURE__ */ new Map();
	for (const option of def.options) {
		const values = option._zod.propValues?.[def.discriminator];
		if (!values || values.size === 0) throw new Error(`Invalid discriminated union option at index "${def.options.indexOf(option)}"`);
		for (const value of values) if (map.has(value)) {
			if (value !== void 0) throw new Error(`Duplicate discriminator value "${String(value)}"`);
			map.set(value, null);
		} else map.set(value, option);
	}
	return map;
}
const $ZodDiscriminatedUnion = /*@__PURE__*/ $constructor("$ZodDiscriminatedUnion", (inst, def) => {
	def.inclusive = false;
	$ZodUnion.init(inst, def);
	const _super = inst._zod.parse;
	defineLazyInternal(inst, "propValues", (zod) => {
		const propValues = {};
		let undefinedCount = 0;
		for (const option of zod.def.options) {
			const pv = option._zod.propValues;
			if (!pv || Object.keys(pv).length === 0) throw new Error(`Invalid discriminated union option at index "${zod.def.options.indexOf(option)}"`);
			if (pv[zod.def.discriminator]?.has(void 0)) undefinedCount++;
			for (const [k, v] of Object.entries(pv)) {
				if (!Object.prototype.hasOwnProperty.call(propValues, k)) assignProp(propValues, k, /* @__PURE__ */ new Set());
				for (const val of v) propValues[k].add(val);
			}
		}
		if (!zod.def.unionFallback && undefinedCount > 1) propValues[zod.def.discriminator]?.delete(void 0);
		return propValues;
	});
	def.options.forEach((option, i) => {
		const propShape = rawShape(option._zod.def);
		if (propShape && !Object.prototype.hasOwnProperty.call(propShape, def.discriminator)) throw new Error(`Invalid discriminated union option at index "${i}"`);
	});
	const disc = cached(() => discriminatorMap(def));
	inst._zod.parse = (payload, ctx) => {
		const input = payload.value;
		if (!isObject(input)) {
			payload.issues.push({
				code: "invalid_type",
				expected: "object",
				input,
				inst
			});
			return payload;
		}
		const value = input?.[def.discriminator];
		const opt = disc.value.get(value);
		if (opt && (value !== void 0 || ctx.direction !== "backward")) return opt._zod.run(payload, ctx);
		if (def.unionFallback || ctx.direction === "backward") return _super(payload, ctx);
		payload.issues.push({
			code: "invalid_union",
			errors: [],
			note: "No matching discriminator",
			discriminator: def.discriminator,
			options: Array.from(disc.value.keys()).filter((value) => disc.value.get(value) !== null),
			input,
			path: [def.discriminator],
			inst
		});
		return payload;
	};
});
const $ZodIntersection = /*@__PURE__*/ $constructor("$ZodIntersection", (inst, def) => {
	$ZodType.init(inst, def);
	inst._zod.parse = (payload, ctx) => {
		const input = payload.value;
		const left = def.left._zod.run({
			value: input,
			issues: []
		}, ctx);
		const right = def.right._zod.run({
			value: input,
			issues: []
		}, ctx);
		if (left instanceof Promise || right instanceof Promise) return Promise.all([left, right]).then(([left, right]) => {
			return handleIntersectionResults(payload, left, right);
		});
		return handleIntersectionResults(payload, left, right);
	};
});
function mergeValues(a, b) {
	if (a === b) return {
		valid: true,
		data: a
	};
	if (a instanceof Date && b instanceof Date && +a === +b) return {
		valid: true,
		data: a
	};
	if (isPlainObject(a) && isPlainObject(b)) {
		const bKeys = Object.keys(b);
		const sharedKeys = Object.keys(a).filter((key) => bKeys.indexOf(key) !== -1);
		const newObj = {
			...a,
			...b
		};
		if (Object.prototype.hasOwnProperty.call(newObj, "__proto__")) delete newObj.__proto__;
		for (const key of sharedKeys) {
			if (key === "__proto__") continue;
			const sharedValue = mergeValues(a[key], b[key]);
			if (!sharedValue.valid) return {
				valid: false,
				mergeErrorPath: [key, ...sharedValue.mergeErrorPath]
			};
			newObj[key] = sharedValue.data;
		}
		return {
			valid: true,
			data: newObj
		};
	}
	if (Array.isArray(a) && Array.isArray(b)) {
		if (a.length !== b.length) return {
			valid: false,
			mergeErrorPath: []
		};
		const newArray = [];
		for (let index = 0; index < a.length; index++) {
			const itemA = a[index];
			const itemB = b[index];
			const sharedValue = mergeValues(itemA, itemB);
			if (!sharedValue.valid) return {
				valid: false,
				mergeErrorPath: [index, ...sharedValue.mergeErrorPath]
			};
			newArray.push(sharedValue.data);
		}
		return {
			valid: true,
			data: newArray
		};
	}
	return {
		valid: false,
		mergeErrorPath: []
	};
}
function handleIntersectionResults(result, left, right) {
	const unrecKeys = /* @__PURE__ */ new Map();
	let unrecIssue;
	const keyIssues = /* @__PURE__ */ new Map();
	const collect = (iss, side) => {
		let keys;
		if (iss.code === "unrecognized_keys" && !iss.path?.length) {
			unrecIssue ?? (unrecIssue = iss);
			keys = iss.keys;
		} else if (iss.code === "invalid_key" && iss.origin === "record" && iss.path?.length === 1) {
			const k = String(iss.path[0]);
			if (!keyIssues.has(k)) keyIssues.set(k, iss);
			keys = [k];
		} else return false;
		for (const k of keys) {
			if (!unrecKeys.has(k)) unrecKeys.set(k, {});
			unrecKeys.get(k)[side] = true;
		}
		return true;
	};
	for (const iss of left.issues) if (!collect(iss, "l")) result.issues.push(iss);
	for (const iss of right.issues) if (!collect(iss, "r")) result.issues.push(iss);
	const bothKeys = [...unrecKeys].filter(([, f]) => f.l && f.r).map(([k]) => k);
	if (bothKeys.length) {
		const aggregated = unrecIssue ? bothKeys.filter((k) => unrecIssue.keys.includes(k)) : [];
		if (aggregated.length) result.issues.push({
			...unrecIssue,
			keys: aggregated
		});
		for (const k of bothKeys) if (!aggregated.includes(k) && keyIssues.has(k)) result.issues.push(keyIssues.get(k));
	}
	const merged = mergeValues(left.value, right.value);
	if (!merged.valid) {
		if (aborted(result)) return result;
		throw new Error(`Unmergable intersection. Error path: ${JSON.stringify(merged.mergeErrorPath)}`);
	}
	result.value = merged.data;
	return result;
}
const $ZodTuple = /*@__PURE__*/ $constructor("$ZodTuple", (inst, def) => {
	$ZodType.init(inst, def);
	const items = def.items;
	const memo = globalConfig.memoizer;
	memo?.attach(inst);
	inst._zod.parse = (payload, ctx) => {
		const input = payload.value;
		if (!Array.isArray(input)) {
			payload.issues.push({
				input,
				inst,
				expected: "tuple",
				code: "invalid_type"
			});
			return payload;
		}
		payload.value = memo ? memo.alloc(inst, payload, [], ctx) : [];
		const proms = [];
		const optinStart = getTupleOptStart(items, "optin");
		const optoutStart = getTupleOptStart(items, "optout");
		if (!def.rest) {
			if (input.length < optinStart) {
				payload.issues.push({
					code: "too_small",
					minimum: optinStart,
					inclusive: true,
					input,
					inst,
					origin: "array"
				});
				return payload;
			}
			if (input.length > items.length) payload.issues.push({
				code: "too_big",
				maximum: items.length,
				inclusive: true,
				input,
				inst,
				origin: "array"
			});
		}
		const itemResults = new Array(items.length);
		const abortEarly = def.rest ? ctx?.abortEarly : void 0;
		let itemAborted = false;
		for (let i = 0; i < items.length; i++) {
			const r = items[i]._zod.run({
				value: input[i],
				issues: []
			}, ctx);
			if (r instanceof Promise) proms.push(r.then((rr) => {
				itemResults[i] = rr;
			}));
			else {
				itemResults[i] = r;
				if (abortEarly && !itemAborted && r.issues.length) itemAborted = aborted(r);
			}
		}
		if (def.rest && !itemAborted) {
			let i = items.length - 1;
			const rest = input.slice(items.length);
			let seen = payload.issues.length;
			for (const el of rest) {
				if (abortEarly && payload.issues.length !== seen) {
					if (aborted(payload, seen)) break;
					seen = payload.issues.length;
				}
				i++;
				const result = def.rest._zod.run({
					value: el,
					issues: []
				}, ctx);
				if (result instanceof Promise) proms.push(result.then((r) => handleTupleResult(r, payload, i)));
				else handleTupleResult(result, payload, i);
			}
		}
		if (proms.length) return Promise.all(proms).then(() => handleTupleResults(itemResults, payload, items, input, optoutStart));
		return handleTupleResults(itemResults, payload, items, input, optoutStart);
	};
});
function getTupleOptStart(items, key) {
	for (let i = items.length - 1; i >= 0; i--) if (!(key === "optin" ? items[i]._zod.optin !== void 0 : items[i]._zod.optout === "optional")) return i + 1;
	return 0;
}
function handleTupleResult(result, final, index) {
	if (result.issues.length) final.issues.push(...prefixIssues(index, result.issues));
	final.value[index] = result.value;
}
function handleTupleResults(itemResults, final, items, input, optoutStart) {
	for (let i = 0; i < items.length; i++) {
		const r = itemResults[i];
		const isPresent = i < input.length;
		if (!isPresent && i >= optoutStart && items[i]._zod.optin === "optional") {
			final.value.length = i;
			break;
		}
		if (r.issues.length) {
			if (!isPresent && i >= optoutStart) {
				final.value.length = i;
				break;
			}
			final.issues.push(...prefixIssues(i, r.issues));
		}
		final.value[i] = r.value;
	}
	for (let i = final.value.length - 1; i >= input.length; i--) if (items[i]._zod.optout === "optional" && final.value[i] === void 0) final.value.length = i;
	else break;
	return final;
}
const $ZodRecord = /*@__PURE__*/ $constructor("$ZodRecord", (inst, def) => {
	$ZodType.init(inst, def);
	const memo = globalConfig.memoizer;
	memo?.attach(inst);
	inst._zod.parse = (payload, ctx) => {
		const input = payload.value;
		if (!isPlainObject(input)) {
			payload.issues.push({
				expected: "record",
				code: "invalid_type",
				input,
				inst
			});
			return payload;
		}
		const proms = [];
		const values = def.keyType._zod.values;
		if (values && !def.partial) {
			payload.value = memo ? memo.alloc(inst, payload, {}, ctx) : {};
			const recordKeys = /* @__PURE__ */ new Set();
			for (const key of values) if (typeof key === "string" || typeof key === "number" || typeof key === "symbol") {
				recordKeys.add(typeof key === "number" ? key.toString() : key);
				if (key === "__proto__") continue;
				const keyResult = def.keyType._zod.run({
					value: key,
					issues: []
				}, ctx);
				if (keyResult instanceof Promise) throw new Error("Async schemas not supported in object keys currently");
				if (keyResult.issues.length) {
					payload.issues.push({
						code: "invalid_key",
						origin: "record",
						issues: keyResult.issues.map((iss) => finalizeIssue(iss, ctx, config())),
						input: key,
						path: [key],
						inst
					});
					continue;
				}
				const outKey = keyResult.value;
				if (outKey === "__proto__") continue;
				const result = def.valueType._zod.run({
					value: input[key],
					issues: []
				}, ctx);
				if (result instanceof Promise) proms.push(result.then((result) => {
					if (result.issues.length) payload.issues.push(...prefixIssues(key, result.issues));
					payload.value[outKey] = result.value;
				}));
				else {
					if (result.issues.length) payload.issues.push(...prefixIssues(key, result.issues));
					payload.value[outKey] = result.value;
				}
			}
			let unrecognized;
			for (const key in input) if (!recordKeys.has(key)) {
				if (def.mode === "loose") {
					if (key === "__proto__") continue;
					payload.value[key] = input[key];
				} else {
					unrecognized = unrecognized ?? [];
					unrecognized.push(key);
				}
			}
			if (unrecognized && unrecognized.length > 0) payload.issues.push({
				code: "unrecognized_keys",
				input,
				inst,
				keys: unrecognized,
				continue: true
			});
		} else {
			payload.value = memo ? memo.alloc(inst, payload, {}, ctx) : {};
			let unrecognized;
			for (const key of Reflect.ownKeys(input)) {
				if (key === "__proto__") continue;
				if (!Object.prototype.propertyIsEnumerable.call(input, key)) continue;
				let keyResult = def.keyType._zod.run({
					value: key,
					issues: []
				}, ctx);
				if (keyResult instanceof Promise) throw new Error("Async schemas not supported in object keys currently");
				if (typeof key === "string" && number$2.test(key) && keyResult.issues.length) {
					const retryResult = def.keyType._zod.run({
						value: Number(key),
						issues: []
					}, ctx);
					if (retryResult instanceof Promise) throw new Error("Async schemas not supported in object keys currently");
					if (retryResult.issues.length === 0) keyResult = retryResult;
				}
				if (keyResult.issues.length) {
					if (def.mode === "loose") payload.value[key] = input[key];
					else if (values) {
						unrecognized = unrecognized ?? [];
						unrecognized.push(key);
					} else payload.issues.push({
						code: "invalid_key",
						origin: "record",
						issues: keyResult.issues.map((iss) => finalizeIssue(iss, ctx, config())),
						input: key,
						path: [key],
						inst
					});
					continue;
				}
				const outKey = keyResult.value;
				if (outKey === "__proto__") continue;
				const result = def.valueType._zod.run({
					value: input[key],
					issues: []
				}, ctx);
				if (result instanceof Promise) proms.push(result.then((result) => {
					if (result.issues.length) payload.issues.push(...prefixIssues(key, result.issues));
					payload.value[outKey] = result.value;
				}));
				else {
					if (result.issues.length) payload.issues.push(...prefixIssues(key, result.issues));
					payload.value[outKey] = result.value;
				}
			}
			if (unrecognized && unrecognized.length > 0) payload.issues.push({
				code: "unrecognized_keys",
				input,
				inst,
				keys: unrecognized,
				continue: true
			});
		}
		if (proms.length) return Promise.all(proms).then(() => payload);
		return payload;
	};
});
const $ZodEnum = /*@__PURE__*/ $constructor("$ZodEnum", (inst, def) => {
	$ZodType.init(inst, def);
	const values = getEnumValues(def.entries);
	const valuesSet = new Set(values);
	inst._zod.values = valuesSet;
	defineLazyInternal(inst, "pattern", (zod) => {
		const patternValues = getEnumValues(zod.def.entries).filter((k) => propertyKeyTypes.has(typeof k));
		return new RegExp(patternValues.length ? `^(${patternValues.map((o) => escapeRegex(o.toString())).join("|")})$` : "^[^\\s\\S]$");
	});
	inst._zod.parse = (payload, _ctx) => {
		const input = payload.value;
		if (valuesSet.has(input)) return payload;
		payload.issues.push({
			code: "invalid_value",
			values,
			input,
			inst
		});
		return payload;
	};
});
const $ZodLiteral = /*@__PURE__*/ $constructor("$ZodLiteral", (inst, def) => {
	$ZodType.init(inst, def);
	const values = new Set(def.values);
	inst._zod.values = values;
	defineLazyInternal(inst, "pattern", (zod) => {
		const vals = zod.def.values;
		return new RegExp(vals.length ? `^(${vals.map((o) => typeof o === "string" ? escapeRegex(o) : o ? escapeRegex(o.toString()) : String(o)).join("|")})$` : "^[^\\s\\S]$");
	});
	inst._zod.parse = (payload, _ctx) => {
		const input = payload.value;
		if (values.has(input)) return payload;
		payload.issues.push({
			code: "invalid_value",
			values: def.values,
			input,
			inst
		});
		return payload;
	};
});
const $ZodTransform = /*@__PURE__*/ $constructor("$ZodTransform", (inst, def) => {
	$ZodType.init(inst, def);
	inst._zod.optin = "optional";
	globalConfig.memoizer?.guard(inst);
	inst._zod.parse = (payload, ctx) => {
		if (ctx.direction === "backward") throw new $ZodEncodeError(inst.constructor.name);
		const _out = def.transform(payload.value, payload);
		if (ctx.async) return (_out instanceof Promise ? _out : Promise.resolve(_out)).then((output) => {
			payload.value = output;
			return payload;
		});
		if (_out instanceof Promise) throw new $ZodAsyncError();
		payload.value = _out;
		return payload;
	};
});
function handleOptionalResult(payload, result) {
	payload.value = result.issues.length ? void 0 : result.value;
	return payload;
}
const $ZodOptional = /*@__PURE__*/ $constructor("$ZodOptional", (inst, def) => {
	$ZodType.init(inst, def);
	defineLazyInternal(inst, "optin", (zod) => zod.def.innerType._zod.optin === "defaulted" ? "defaulted" : "optional");
	inst._zod.optout = "optional";
	defineLazyInternal(inst, "values", (zod) => {
		const values = zod.def.innerType._zod.values;
		return values ? /* @__PURE__ */ new Set([...values, void 0]) : void 0;
	});
	defineLazyInternal(inst, "pattern", (zod) => {
		const pattern = zod.def.innerType._zod.pattern;
		return pattern ? new RegExp(`^(${cleanRegex(pattern.source)})?$`) : void 0;
	});
	inst._zod.parse = (payload, ctx) => {
		if (payload.value === void 0) {
			if (def.innerType._zod.optin !== "defaulted") return payload;
			const result = def.innerType._zod.run({
				value: payload.value,
				issues: []
			}, ctx);
			if (result instanceof Promise) return result.then((result) => handleOptionalResult(payload, result));
			return handleOptionalResult(payload, result);
		}
		return def.innerType._zod.run(payload, ctx);
	};
});
const $ZodExactOptional = /*@__PURE__*/ $constructor("$ZodExactOptional", (inst, def) => {
	$ZodOptional.init(inst, def);
	defineLazyInternal(inst, "values", (zod) => zod.def.innerType._zod.values);
	defineLazyInternal(inst, "pattern", (zod) => zod.def.innerType._zod.pattern);
	inst._zod.parse = (payload, ctx) => {
		return def.innerType._zod.run(payload, ctx);
	};
});
const $ZodNullable = /*@__PURE__*/ $constructor("$ZodNullable", (inst, def) => {
	$ZodType.init(inst, def);
	defineLazyInternal(inst, "optin", (zod) => zod.def.innerType._zod.optin);
	defineLazyInternal(inst, "optout", (zod) => zod.def.innerType._zod.optout);
	defineLazyInternal(inst, "pattern", (zod) => {
		const pattern = zod.def.innerType._zod.pattern;
		return pattern ? new RegExp(`^(${cleanRegex(pattern.source)}|null)$`) : void 0;
	});
	defineLazyInternal(inst, "values", (zod) => {
		return zod.def.innerType._zod.values ? /* @__PURE__ */ new Set([...zod.def.innerType._zod.values, null]) : void 0;
	});
	inst._zod.parse = (payload, ctx) => {
		if (payload.value === null) return payload;
		return def.innerType._zod.run(payload, ctx);
	};
});
const $ZodDefault = /*@__PURE__*/ $constructor("$ZodDefault", (inst, def) => {
	$ZodType.init(inst, def);
	inst._zod.optin = "defaulted";
	defineLazyInternal(inst, "values", (zod) => zod.def.innerType._zod.values);
	inst._zod.parse = (payload, ctx) => {
		if (ctx.direction === "backward") return def.innerType._zod.run(payload, ctx);
		if (payload.value === void 0) {
			payload.value = def.defaultValue;
			/**
			* $ZodDefault returns the default value immediately in forward direction.
			* It doesn't pass the default value into the validator ("prefault"). There's no reason to pass the default value through validation. The validity of the default is enforced by TypeScript statically. Otherwise, it's the responsibility of the user to ensure the default is valid. In the case of pipes with divergent in/out types, you can specify the default on the `in` schema of your ZodPipe to set a "prefault" for the pipe.   */
			return payload;
		}
		const result = def.innerType._zod.run(payload, ctx);
		if (result instanceof Promise) return result.then((result) => handleDefaultResult(result, def));
		return handleDefaultResult(result, def);
	};
});
function handleDefaultResult(payload, def) {
	if (payload.value === void 0) payload.value = def.defaultValue;
	return payload;
}
const $ZodPrefault = /*@__PURE__*/ $constructor("$ZodPrefault", (inst, def) => {
	$ZodType.init(inst, def);
	inst._zod.optin = "defaulted";
	defineLazyInternal(inst, "values", (zod) => zod.def.innerType._zod.values);
	inst._zod.parse = (payload, ctx) => {
		if (ctx.direction === "backward") return def.innerType._zod.run(payload, ctx);
		if (payload.value === void 0) payload.value = def.defaultValue;
		return def.innerType._zod.run(payload, ctx);
	};
});
const $ZodNonOptional = /*@__PURE__*/ $constructor("$ZodNonOptional", (inst, def) => {
	$ZodType.init(inst, def);
	defineLazyInternal(inst, "values", (zod) => {
		const v = zod.def.innerType._zod.values;
		return v ? new Set([...v].filter((x) => x !== void 0)) : void 0;
	});
	inst._zod.parse = (payload, ctx) => {
		const result = def.innerType._zod.run(payload, ctx);
		if (result instanceof Promise) return result.then((result) => handleNonOptionalResult(result, inst));
		return handleNonOptionalResult(result, inst);
	};
});
function handleNonOptionalResult(payload, inst) {
	if (!payload.issues.length && payload.value === void 0) payload.issues.push({
		code: "invalid_type",
		expected: "nonoptional",
		input: payload.value,
		inst
	});
	return payload;
}
function handleCatchResult(payload, result, def, ctx) {
	if (!result.issues.length) {
		payload.value = result.value;
		if (result.memo) payload.memo = true;
		return payload;
	}
	payload.value = def.catchValue({
		...result,
		value: payload.value,
		error: { issues: result.issues.map((iss) => finalizeIssue(iss, ctx, config())) },
		input: payload.value
	});
	return payload;
}
const $ZodCatch = /*@__PURE__*/ $constructor("$ZodCatch", (inst, def) => {
	$ZodType.init(inst, def);
	defineLazyInternal(inst, "optin", (zod) => zod.def.innerType._zod.optin === "defaulted" ? "defaulted" : "optional");
	defineLazyInternal(inst, "optout", (zod) => zod.def.innerType._zod.optout);
	defineLazyInternal(inst, "values", (zod) => zod.def.innerType._zod.values);
	inst._zod.parse = (payload, ctx) => {
		if (ctx.direction === "backward") return def.innerType._zod.run(payload, ctx);
		const result = def.innerType._zod.run({
			value: payload.value,
			issues: []
		}, ctx);
		if (result instanceof Promise) return result.then((result) => handleCatchResult(payload, result, def, ctx));
		return handleCatchResult(payload, result, def, ctx);
	};
});
const $ZodPipe = /*@__PURE__*/ $constructor("$ZodPipe", (inst, def) => {
	$ZodType.init(inst, def);
	defineLazyInternal(inst, "values", (zod) => zod.def.in._zod.values);
	defineLazyInternal(inst, "optin", (zod) => zod.def.in._zod.optin);
	defineLazyInternal(inst, "optout", (zod) => zod.def.out._zod.optout);
	defineLazyInternal(inst, "propValues", (zod) => zod.def.in._zod.propValues);
	inst._zod.parse = (payload, ctx) => {
		if (ctx.direction === "backward") {
			const right = def.out._zod.run(payload, ctx);
			if (right instanceof Promise) return right.then((right) => handlePipeResult(right, def.in, ctx));
			return handlePipeResult(right, def.in, ctx);
		}
		const left = def.in._zod.run(payload, ctx);
		if (left instanceof Promise) return left.then((left) => handlePipeResult(left, def.out, ctx));
		return handlePipeResult(left, def.out, ctx);
	};
});
function handlePipeResult(left, next, ctx) {
	if (left.issues.some((iss) => iss.code !== "unrecognized_keys")) {
		left.aborted = true;
		return left;
	}
	return next._zod.run({
		value: left.value,
		issues: left.issues
	}, ctx);
}
const $ZodReadonly = /*@__PURE__*/ $constructor("$ZodReadonly", (inst, def) => {
	$ZodType.init(inst, def);
	defineLazyInternal(inst, "propValues", (zod) => zod.def.innerType._zod.propValues);
	defineLazyInternal(inst, "values", (zod) => zod.def.innerType._zod.values);
	defineLazyInternal(inst, "optin", (zod) => zod.def.innerType?._zod?.optin);
	defineLazyInternal(inst, "optout", (zod) => zod.def.innerType?._zod?.optout);
	inst._zod.parse = (payload, ctx) => {
		if (ctx.direction === "backward") return def.innerType._zod.run(payload, ctx);
		const result = def.innerType._zod.run(payload, ctx);
		if (result instanceof Promise) return result.then(handleReadonlyResult);
		return handleReadonlyResult(result);
	};
});
function handleReadonlyResult(payload) {
	if (!payload.memo) payload.value = Object.freeze(payload.value);
	return payload;
}
const $ZodCustom = /*@__PURE__*/ $constructor("$ZodCustom", (inst, def) => {
	$ZodCheck.init(inst, def);
	$ZodType.init(inst, def);
	inst._zod.parse = (payload, _) => {
		return payload;
	};
	inst._zod.check = (payload) => {
		const input = payload.value;
		const r = def.fn(input);
		if (r instanceof Promise) return r.then((r) => handleRefineResult(r, payload, input, inst));
		handleRefineResult(r, payload, input, inst);
	};
});
function handleRefineResult(result, payload, input, inst) {
	if (!result) {
		const _iss = {
			code: "custom",
			input,
			inst,
			path: [...inst._zod.def.path ?? []],
			continue: !inst._zod.def.abort
		};
		if (inst._zod.def.params) _iss.params = inst._zod.def.params;
		payload.issues.push(issue(_iss));
	}
}

// node_modules/zod/v4/core/memoizer.js
var $ZodCyclicError = class extends Error {
	constructor() {
		super(`Cannot parse a reference cycle that closes through a transform`);
		this.name = "ZodCyclicError";
	}
};
/** Keyed off the context object every schema in one parse call already shares. */
const STATE = "~memo";
const NO_ISSUES = [];
function isRef(value) {
	return value !== null && typeof value === "object";
}
function cloneIssues(issues) {
	return issues.map((iss) => iss.path ? {
		...iss,
		path: iss.path.slice()
	} : { ...iss });
}
const recursive = /*@__PURE__*/ new WeakMap();
/** What the walk established, in order of certainty: ordered so the strongest answer among children wins. */
const NONE = 0;
const ASSUMED = 1;
const PROVEN = 2;
/** Whether this schema's subtree contains a cycle, so one parse can re-enter it. */
function isRecursive(inst, stack, resolve) {
	const cached = recursive.get(inst);
	if (cached !== void 0) return cached ? PROVEN : NONE;
	if (stack.has(inst)) return PROVEN;
	stack.add(inst);
	let result = NONE;
	const check = (child) => {
		if (result !== PROVEN && child?._zod) {
			const answer = isRecursive(child, stack, resolve);
			if (answer > result) result = answer;
		}
	};
	const shape = (sh, spread) => {
		let answer = NONE;
		for (const key of Reflect.ownKeys(sh)) {
			const desc = Object.getOwnPropertyDescriptor(sh, key);
			if (spread && !desc.enumerable) continue;
			const child = desc.get ? ASSUMED : desc.value?._zod ? isRecursive(desc.value, stack, resolve) : NONE;
			if (child > answer) answer = child;
		}
		return answer;
	};
	const merge = (answer) => {
		if (answer > result) result = answer;
	};
	const def = inst._zod.def;
	switch (def.type) {
		case "object": {
			const raw = rawShape(def);
			merge(raw ? shape(raw, true) : ASSUMED);
			check(def.catchall);
			break;
		}
		case "array":
			check(def.element);
			break;
		case "tuple":
			for (const el of def.items) check(el);
			check(def.rest);
			break;
		case "record":
		case "map":
			check(def.keyType);
			check(def.valueType);
			break;
		case "set":
			check(def.valueType);
			break;
		case "union":
			for (const el of def.options) check(el);
			break;
		case "intersection":
			check(def.left);
			check(def.right);
			break;
		case "optional":
		case "nullable":
		case "default":
		case "prefault":
		case "catch":
		case "readonly":
		case "nonoptional":
		case "promise":
		case "success":
			check(def.innerType);
			break;
		case "pipe":
			check(def.in);
			check(def.out);
			break;
		case "function":
			check(def.input);
			check(def.output);
			break;
		case "lazy": {
			const inner = def._cachedInner ?? (resolve ? inst._zod.innerType : void 0);
			merge(inner ? isRecursive(inner, stack, false) : ASSUMED);
			break;
		}
		case "template_literal":
		case "string":
		case "number":
		case "int":
		case "boolean":
		case "bigint":
		case "symbol":
		case "undefined":
		case "null":
		case "void":
		case "never":
		case "any":
		case "unknown":
		case "date":
		case "nan":
		case "enum":
		case "literal":
		case "file":
		case "transform":
		case "custom": break;
		default: for (const key in def) {
			const desc = Object.getOwnPropertyDescriptor(def, key);
			if (!desc || desc.get) continue;
			const value = desc.value;
			if (!value || typeof value !== "object") continue;
			if (value._zod) check(value);
			else if (Array.isArray(value)) for (const el of value) check(el);
		}
	}
	stack.delete(inst);
	return settle(inst, result);
}
/** An assumed answer must not outlive the resolution that settles it, so only a certain one is cached. */
function settle(inst, answer) {
	if (answer !== ASSUMED) recursive.set(inst, answer === PROVEN);
	return answer;
}
function bucketFor(state, inst) {
	let bucket = state.buckets.get(inst);
	if (!bucket) {
		bucket = /* @__PURE__ */ new WeakMap();
		state.buckets.set(inst, bucket);
	}
	return bucket;
}
let handoff;
const open = [];
const memo = {
	alloc(_inst, payload, empty) {
		const bucket = handoff;
		if (!bucket) return empty;
		handoff = void 0;
		const entry = {
			value: empty,
			issues: null
		};
		bucket.set(payload.value, entry);
		open.push(entry);
		return empty;
	},
	guard(inst) {
		var _a;
		(_a = inst._zod).deferred ?? (_a.deferred = []);
		inst._zod.deferred.push(() => {
			const base = inst._zod.parse;
			const wrapped = (payload, ctx) => {
				if (ctx.direction !== "backward" && isBackEdge(ctx, payload.value)) throw new $ZodCyclicError();
				return base(payload, ctx);
			};
			inst._zod.parse = wrapped;
			if (inst._zod.run === base) inst._zod.run = wrapped;
		});
	},
	attach(inst) {
		var _a;
		let isRecursiveInst;
		let rechecked = false;
		let lastCtx;
		let lastBucket;
		(_a = inst._zod).deferred ?? (_a.deferred = []);
		inst._zod.deferred.push(() => {
			const base = inst._zod.parse;
			const wrapped = (payload, ctx) => {
				if (isRecursiveInst === void 0) {
					const walked = isRecursive(inst, /* @__PURE__ */ new Set(), false);
					if (walked === NONE) {
						inst._zod.parse = base;
						if (inst._zod.run === wrapped) inst._zod.run = base;
						return base(payload, ctx);
					}
					if (walked === PROVEN || rechecked) isRecursiveInst = true;
					else rechecked = true;
				}
				const input = payload.value;
				if (!isRef(input)) return base(payload, ctx);
				let state = ctx[STATE];
				if (!state) {
					state = {
						buckets: /* @__PURE__ */ new WeakMap(),
						backEdges: void 0
					};
					ctx[STATE] = state;
				}
				let bucket;
				if (lastCtx === ctx) bucket = lastBucket;
				else {
					bucket = bucketFor(state, inst);
					lastCtx = ctx;
					lastBucket = bucket;
				}
				const hit = bucket.get(input);
				if (hit) {
					payload.value = hit.value;
					if (hit.issues) {
						if (hit.issues.length) payload.issues.push(...cloneIssues(hit.issues));
					} else {
						payload.memo = true;
						state.backEdges ?? (state.backEdges = /* @__PURE__ */ new WeakSet());
						state.backEdges.add(hit.value);
					}
					return payload;
				}
				handoff = bucket;
				const depth = open.length;
				const result = base(payload, ctx);
				handoff = void 0;
				const entry = open.length > depth ? open.pop() : void 0;
				if (result instanceof Promise) return result.then((r) => {
					if (entry) entry.issues = r.issues.length ? cloneIssues(r.issues) : NO_ISSUES;
					return r;
				});
				if (entry) entry.issues = result.issues.length ? cloneIssues(result.issues) : NO_ISSUES;
				return result;
			};
			inst._zod.parse = wrapped;
			if (inst._zod.run === base) inst._zod.run = wrapped;
		});
	}
};
/** The memoizer that gives containers cycle support. `zod` installs it by default; `zod/mini` opts in with `config({ memoizer: memoizer() })`. */
function memoizer() {
	return memo;
}
/** Whether this value is a node a back-edge resolved to before it finished. */
function isBackEdge(ctx, value) {
	const backEdges = ctx[STATE]?.backEdges;
	return backEdges !== void 0 && isRef(value) && backEdges.has(value);
}

// node_modules/zod/v4/locales/en.js
const error = () => {
	const Sizable = {
		string: {
			unit: "characters",
			verb: "to have"
		},
		file: {
			unit: "bytes",
			verb: "to have"
		},
		array: {
			unit: "items",
			verb: "to have"
		},
		set: {
			unit: "items",
			verb: "to have"
		},
		map: {
			unit: "entries",
			verb: "to have"
		}
	};
	function getSizing(origin) {
		return Sizable[origin] ?? null;
	}
	const FormatDictionary = {
		regex: "input",
		email: "email address",
		url: "URL",
		emoji: "emoji",
		uuid: "UUID",
		uuidv4: "UUIDv4",
		uuidv6: "UUIDv6",
		nanoid: "nanoid",
		guid: "GUID",
		cuid: "cuid",
		cuid2: "cuid2",
		ulid: "ULID",
		xid: "XID",
		ksuid: "KSUID",
		datetime: "ISO datetime",
		date: "ISO date",
		time: "ISO time",
		duration: "ISO duration",
		ipv4: "IPv4 address",
		ipv6: "IPv6 address",
		mac: "MAC address",
		cidrv4: "IPv4 range",
		cidrv6: "IPv6 range",
		base64: "base64-encoded string",
		base64url: "base64url-encoded string",
		json_string: "JSON string",
		e164: "E.164 number",
		currency_code: "currency code",
		credit_card: "credit card number",
		iban: "IBAN",
		jwt: "JWT",
		template_literal: "input"
	};
	const TypeDictionary = { nan: "NaN" };
	function getTypeName(type, input) {
		if (type === "number" && typeof input === "number" && !Number.isFinite(input)) return String(input);
		return TypeDictionary[type] ?? type;
	}
	return (issue) => {
		switch (issue.code) {
			case "invalid_type": return `Invalid input: expected ${getTypeName(issue.expected)}, received ${getTypeName(parsedType(issue.input), issue.input)}`;
			case "invalid_value":
				if (issue.values.length === 1) return `Invalid input: expected ${stringifyPrimitive(issue.values[0])}`;
				return `Invalid option: expected one of ${joinValues(issue.values, "|")}`;
			case "too_big": {
				const adj = issue.exact ? "exactly " : issue.inclusive ? "<=" : "<";
				const sizing = getSizing(issue.origin);
				if (sizing) return `Too big: expected ${issue.origin ?? "value"} to have ${adj}${issue.maximum.toString()} ${sizing.unit ?? "elements"}`;
				return `Too big: expected ${issue.origin ?? "value"} to be ${adj}${issue.maximum.toString()}`;
			}
			case "too_small": {
				const adj = issue.exact ? "exactly " : issue.inclusive ? ">=" : ">";
				const sizing = getSizing(issue.origin);
				if (sizing) return `Too small: expected ${issue.origin} to have ${adj}${issue.minimum.toString()} ${sizing.unit}`;
				return `Too small: expected ${issue.origin} to be ${adj}${issue.minimum.toString()}`;
			}
			case "invalid_format": {
				const _issue = issue;
				if (_issue.format === "starts_with") return `Invalid string: must start with "${_issue.prefix}"`;
				if (_issue.format === "ends_with") return `Invalid string: must end with "${_issue.suffix}"`;
				if (_issue.format === "includes") return `Invalid string: must include "${_issue.includes}"`;
				if (_issue.format === "regex") return `Invalid string: must match pattern ${_issue.pattern}`;
				return `Invalid ${FormatDictionary[_issue.format] ?? issue.format}`;
			}
			case "not_multiple_of": return `Invalid number: must be a multiple of ${issue.divisor}`;
			case "unrecognized_keys": return `Unrecognized key${issue.keys.length > 1 ? "s" : ""}: ${joinValues(issue.keys, ", ")}`;
			case "invalid_key": return `Invalid key in ${issue.origin}`;
			case "invalid_union":
				if (issue.options && Array.isArray(issue.options) && issue.options.length > 0) return `Invalid discriminator value. Expected ${issue.options.map((o) => `'${o}'`).join(" | ")}`;
				if (issue.inclusive === false) return "Invalid input: more than one option matched";
				return "Invalid input";
			case "invalid_element": return `Invalid value in ${issue.origin}`;
			default: return `Invalid input`;
		}
	};
};
function en_default() {
	return { localeError: error() };
}

// node_modules/zod/v4/core/registries.js
var _a;
var $ZodRegistry = class {
	constructor() {
		this._map = /* @__PURE__ */ new WeakMap();
		this._idmap = /* @__PURE__ */ new Map();
	}
	add(schema, ..._meta) {
		const meta = _meta[0];
		this._map.set(schema, meta);
		if (meta && typeof meta === "object" && "id" in meta) this._idmap.set(meta.id, schema);
		return this;
	}
	clear() {
		this._map = /* @__PURE__ */ new WeakMap();
		this._idmap = /* @__PURE__ */ new Map();
		return this;
	}
	remove(schema) {
		const meta = this._map.get(schema);
		if (meta && typeof meta === "object" && "id" in meta) this._idmap.delete(meta.id);
		this._map.delete(schema);
		return this;
	}
	get(schema) {
		const p = schema._zod.parent;
		if (p) {
			const pm = { ...this.get(p) ?? {} };
			delete pm.id;
			const f = {
				...pm,
				...this._map.get(schema)
			};
			return Object.keys(f).length ? f : void 0;
		}
		return this._map.get(schema);
	}
	has(schema) {
		return this._map.has(schema);
	}
};
function registry() {
	return new $ZodRegistry();
}
(_a = globalThis).__zod_globalRegistry ?? (_a.__zod_globalRegistry = registry());
const globalRegistry = globalThis.__zod_globalRegistry;

// node_modules/zod/v4/core/api.js
function snapshotChecks(def) {
	if (def.checks) def.checks = [...def.checks];
	return def;
}
// @__NO_SIDE_EFFECTS__
function _string(Class, params) {
	return new Class(snapshotChecks({
		type: "string",
		...normalizeParams(params)
	}));
}
// @__NO_SIDE_EFFECTS__
function _email(Class, params) {
	return new Class({
		type: "string",
		format: "email",
		check: "string_format",
		abort: false,
		...normalizeParams(params)
	});
}
// @__NO_SIDE_EFFECTS__
function _guid(Class, params) {
	return new Class({
		type: "string",
		format: "guid",
		check: "string_format",
		abort: false,
		...normalizeParams(params)
	});
}
// @__NO_SIDE_EFFECTS__
function _uuid(Class, params) {
	return new Class({
		type: "string",
		format: "uuid",
		check: "string_format",
		abort: false,
		...normalizeParams(params)
	});
}
// @__NO_SIDE_EFFECTS__
function _uuidv4(Class, params) {
	return new Class({
		type: "string",
		format: "uuid",
		check: "string_format",
		abort: false,
		version: "v4",
		...normalizeParams(params)
	});
}
// @__NO_SIDE_EFFECTS__
function _uuidv6(Class, params) {
	return new Class({
		type: "string",
		format: "uuid",
		check: "string_format",
		abort: false,
		version: "v6",
		...normalizeParams(params)
	});
}
// @__NO_SIDE_EFFECTS__
function _uuidv7(Class, params) {
	return new Class({
		type: "string",
		format: "uuid",
		check: "string_format",
		abort: false,
		version: "v7",
		...normalizeParams(params)
	});
}
// @__NO_SIDE_EFFECTS__
function _url(Class, params) {
	return new Class({
		type: "string",
		format: "url",
		check: "string_format",
		abort: false,
		...normalizeParams(params)
	});
}
// @__NO_SIDE_EFFECTS__
function _emoji(Class, params) {
	return new Class({
		type: "string",
		format: "emoji",
		check: "string_format",
		abort: false,
		...normalizeParams(params)
	});
}
// @__NO_SIDE_EFFECTS__
function _nanoid(Class, params) {
	return new Class({
		type: "string",
		format: "nanoid",
		check: "string_format",
		abort: false,
		...normalizeParams(params)
	});
}
/**
* @deprecated CUID v1 is deprecated by its authors due to information leakage
* (timestamps embedded in the id). Use {@link _cuid2} instead.
* See https://github.com/paralleldrive/cuid.
*/
// @__NO_SIDE_EFFECTS__
function _cuid(Class, params) {
	return new Class({
		type: "string",
		format: "cuid",
		check: "string_format",
		abort: false,
		...normalizeParams(params)
	});
}
// @__NO_SIDE_EFFECTS__
function _cuid2(Class, params) {
	return new Class({
		type: "string",
		format: "cuid2",
		check: "string_format",
		abort: false,
		...normalizeParams(params)
	});
}
// @__NO_SIDE_EFFECTS__
function _ulid(Class, params) {
	return new Class({
		type: "string",
		format: "ulid",
		check: "string_format",
		abort: false,
		...normalizeParams(params)
	});
}
// @__NO_SIDE_EFFECTS__
function _xid(Class, params) {
	return new Class({
		type: "string",
		format: "xid",
		check: "string_format",
		abort: false,
		...normalizeParams(params)
	});
}
// @__NO_SIDE_EFFECTS__
function _ksuid(Class, params) {
	return new Class({
		type: "string",
		format: "ksuid",
		check: "string_format",
		abort: false,
		...normalizeParams(params)
	});
}
// @__NO_SIDE_EFFECTS__
function _ipv4(Class, params) {
	return new Class({
		type: "string",
		format: "ipv4",
		check: "string_format",
		abort: false,
		...normalizeParams(params)
	});
}
// @__NO_SIDE_EFFECTS__
function _ipv6(Class, params) {
	return new Class({
		type: "string",
		format: "ipv6",
		check: "string_format",
		abort: false,
		...normalizeParams(params)
	});
}
// @__NO_SIDE_EFFECTS__
function _cidrv4(Class, params) {
	return new Class({
		type: "string",
		format: "cidrv4",
		check: "string_format",
		abort: false,
		...normalizeParams(params)
	});
}
// @__NO_SIDE_EFFECTS__
function _cidrv6(Class, params) {
	return new Class({
		type: "string",
		format: "cidrv6",
		check: "string_format",
		abort: false,
		...normalizeParams(params)
	});
}
// @__NO_SIDE_EFFECTS__
function _base64(Class, params) {
	return new Class({
		type: "string",
		format: "base64",
		check: "string_format",
		abort: false,
		...normalizeParams(params)
	});
}
// @__NO_SIDE_EFFECTS__
function _base64url(Class, params) {
	return new Class({
		type: "string",
		format: "base64url",
		check: "string_format",
		abort: false,
		...normalizeParams(params)
	});
}
// @__NO_SIDE_EFFECTS__
function _e164(Class, params) {
	return new Class({
		type: "string",
		format: "e164",
		check: "string_format",
		abort: false,
		...normalizeParams(params)
	});
}
// @__NO_SIDE_EFFECTS__
function _jwt(Class, params) {
	return new Class({
		type: "string",
		format: "jwt",
		check: "string_format",
		abort: false,
		...normalizeParams(params)
	});
}
// @__NO_SIDE_EFFECTS__
function _isoDateTime(Class, params) {
	return new Class({
		type: "string",
		format: "datetime",
		check: "string_format",
		offset: false,
		local: false,
		precision: null,
		...normalizeParams(params)
	});
}
// @__NO_SIDE_EFFECTS__
function _isoDate(Class, params) {
	return new Class({
		type: "string",
		format: "date",
		check: "string_format",
		...normalizeParams(params)
	});
}
// @__NO_SIDE_EFFECTS__
function _isoTime(Class, params) {
	return new Class({
		type: "string",
		format: "time",
		check: "string_format",
		precision: null,
		...normalizeParams(params)
	});
}
// @__NO_SIDE_EFFECTS__
function _isoDuration(Class, params) {
	return new Class({
		type: "string",
		format: "duration",
		check: "string_format",
		...normalizeParams(params)
	});
}
// @__NO_SIDE_EFFECTS__
function _number(Class, params) {
	return new Class(snapshotChecks({
		type: "number",
		checks: [],
		...normalizeParams(params)
	}));
}
// @__NO_SIDE_EFFECTS__
function _int(Class, params) {
	return new Class({
		type: "number",
		check: "number_format",
		abort: false,
		format: "safeint",
		...normalizeParams(params)
	});
}
// @__NO_SIDE_EFFECTS__
function _unknown(Class) {
	return new Class({ type: "unknown" });
}
// @__NO_SIDE_EFFECTS__
function _never(Class, params) {
	return new Class({
		type: "never",
		...normalizeParams(params)
	});
}
// @__NO_SIDE_EFFECTS__
function _lt(value, params) {
	return new $ZodCheckLessThan({
		check: "less_than",
		...normalizeParams(params),
		value,
		inclusive: false
	});
}
// @__NO_SIDE_EFFECTS__
function _lte(value, params) {
	return new $ZodCheckLessThan({
		check: "less_than",
		...normalizeParams(params),
		value,
		inclusive: true
	});
}
// @__NO_SIDE_EFFECTS__
function _gt(value, params) {
	return new $ZodCheckGreaterThan({
		check: "greater_than",
		...normalizeParams(params),
		value,
		inclusive: false
	});
}
// @__NO_SIDE_EFFECTS__
function _gte(value, params) {
	return new $ZodCheckGreaterThan({
		check: "greater_than",
		...normalizeParams(params),
		value,
		inclusive: true
	});
}
// @__NO_SIDE_EFFECTS__
function _multipleOf(value, params) {
	return new $ZodCheckMultipleOf({
		check: "multiple_of",
		...normalizeParams(params),
		value
	});
}
// @__NO_SIDE_EFFECTS__
function _maxLength(maximum, params) {
	return new $ZodCheckMaxLength({
		check: "max_length",
		...normalizeParams(params),
		maximum
	});
}
// @__NO_SIDE_EFFECTS__
function _minLength(minimum, params) {
	return new $ZodCheckMinLength({
		check: "min_length",
		...normalizeParams(params),
		minimum
	});
}
// @__NO_SIDE_EFFECTS__
function _length(length, params) {
	return new $ZodCheckLengthEquals({
		check: "length_equals",
		...normalizeParams(params),
		length
	});
}
// @__NO_SIDE_EFFECTS__
function _regex(pattern, params) {
	return new $ZodCheckRegex({
		check: "string_format",
		format: "regex",
		...normalizeParams(params),
		pattern
	});
}
// @__NO_SIDE_EFFECTS__
function _lowercase(params) {
	return new $ZodCheckLowerCase({
		check: "string_format",
		format: "lowercase",
		...normalizeParams(params)
	});
}
// @__NO_SIDE_EFFECTS__
function _uppercase(params) {
	return new $ZodCheckUpperCase({
		check: "string_format",
		format: "uppercase",
		...normalizeParams(params)
	});
}
// @__NO_SIDE_EFFECTS__
function _includes(includes, params) {
	return new $ZodCheckIncludes({
		check: "string_format",
		format: "includes",
		...normalizeParams(params),
		includes
	});
}
// @__NO_SIDE_EFFECTS__
function _startsWith(prefix, params) {
	return new $ZodCheckStartsWith({
		check: "string_format",
		format: "starts_with",
		...normalizeParams(params),
		prefix
	});
}
// @__NO_SIDE_EFFECTS__
function _endsWith(suffix, params) {
	return new $ZodCheckEndsWith({
		check: "string_format",
		format: "ends_with",
		...normalizeParams(params),
		suffix
	});
}
// @__NO_SIDE_EFFECTS__
function _overwrite(tx) {
	return new $ZodCheckOverwrite({
		check: "overwrite",
		tx
	});
}
// @__NO_SIDE_EFFECTS__
function _normalize(form) {
	return /* @__PURE__ */ _overwrite((input) => input.normalize(form));
}
// @__NO_SIDE_EFFECTS__
function _trim() {
	return /* @__PURE__ */ _overwrite((input) => input.trim());
}
// @__NO_SIDE_EFFECTS__
function _toLowerCase() {
	return /* @__PURE__ */ _overwrite((input) => input.toLowerCase());
}
// @__NO_SIDE_EFFECTS__
function _toUpperCase() {
	return /* @__PURE__ */ _overwrite((input) => input.toUpperCase());
}
// @__NO_SIDE_EFFECTS__
function _slugify() {
	return /* @__PURE__ */ _overwrite((input) => slugify(input));
}
// @__NO_SIDE_EFFECTS__
function _array(Class, element, params) {
	return new Class({
		type: "array",
		element,
		...normalizeParams(params)
	});
}
// @__NO_SIDE_EFFECTS__
function _refine(Class, fn, _params) {
	return new Class({
		type: "custom",
		check: "custom",
		fn,
		...normalizeParams(_params)
	});
}
// @__NO_SIDE_EFFECTS__
function _superRefine(fn, params) {
	const ch = /* @__PURE__ */ _check((payload) => {
		payload.addIssue = (issue$2) => {
			if (typeof issue$2 === "string") payload.issues.push(issue(issue$2, payload.value, ch._zod.def));
			else {
				const _issue = issue$2;
				if (_issue.fatal) _issue.continue = false;
				_issue.code ?? (_issue.code = "custom");
				if (!("input" in _issue)) _issue.input = payload.value;
				_issue.inst ?? (_issue.inst = ch);
				_issue.continue ?? (_issue.continue = !ch._zod.def.abort);
				payload.issues.push(issue(_issue));
			}
		};
		return fn(payload.value, payload);
	}, params);
	return ch;
}
// @__NO_SIDE_EFFECTS__
function _check(fn, params) {
	const ch = new $ZodCheck({
		check: "custom",
		...normalizeParams(params)
	});
	ch._zod.check = fn;
	return ch;
}

// node_modules/zod/v4/core/to-json-schema.js
function assignProps(target, ...sources) {
	for (const source of sources) for (const key of Reflect.ownKeys(source)) if (Object.prototype.propertyIsEnumerable.call(source, key)) assignProp(target, key, source[key]);
	return target;
}
function initializeContext(params) {
	let target = params?.target ?? "draft-2020-12";
	if (target === "draft-4") target = "draft-04";
	if (target === "draft-7") target = "draft-07";
	return {
		processors: params.processors ?? {},
		metadataRegistry: params?.metadata ?? globalRegistry,
		target,
		unrepresentable: params?.unrepresentable ?? "throw",
		override: params?.override ?? (() => {}),
		io: params?.io ?? "output",
		counter: 0,
		seen: /* @__PURE__ */ new Map(),
		sharedDefsExtractedFor: void 0,
		sharedEmitDoneFor: void 0,
		cycles: params?.cycles ?? "ref",
		reused: params?.reused ?? "inline",
		intersections: [],
		deferred: [],
		external: params?.external ?? void 0
	};
}
/**
* Applies the `unrepresentable` setting at a site that has no JSON Schema equivalent. Throws
* `message` unless the setting (or the handler's return value) says otherwise. Returns `true` if a
* custom JSON Schema was written into `json`, in which case the caller must not write its own.
*/
function handleUnrepresentable(schema, ctx, json, params, message) {
	const result = typeof ctx.unrepresentable === "function" ? ctx.unrepresentable({
		zodSchema: schema,
		path: params.path,
		message
	}) : ctx.unrepresentable;
	if (result === "any") return false;
	if (result === void 0 || result === "throw") throw new Error(message);
	Object.assign(json, result);
	return true;
}
function processSchema(schema, ctx, _params = {
	path: [],
	schemaPath: []
}) {
	var _a;
	const def = schema._zod.def;
	const seen = ctx.seen.get(schema);
	if (seen) {
		seen.count++;
		if (_params.schemaPath.includes(schema)) seen.cycle = _params.path;
		return seen.schema;
	}
	const result = {
		schema: {},
		count: 1,
		cycle: void 0,
		path: _params.path
	};
	ctx.seen.set(schema, result);
	ctx.sharedDefsExtractedFor = void 0;
	ctx.sharedEmitDoneFor = void 0;
	const overrideSchema = schema._zod.toJSONSchema?.();
	if (overrideSchema) result.schema = overrideSchema;
	else {
		const params = {
			..._params,
			schemaPath: [..._params.schemaPath, schema],
			path: _params.path
		};
		if (schema._zod.processJSONSchema) schema._zod.processJSONSchema(ctx, result.schema, params);
		else {
			const _json = result.schema;
			const processor = ctx.processors[def.type];
			if (!processor) throw new Error(`[toJSONSchema]: Non-representable type encountered: ${def.type}`);
			processor(schema, ctx, _json, params);
		}
		const parent = schema._zod.parent;
		if (parent) {
			if (!result.ref) result.ref = parent;
			processSchema(parent, ctx, params);
			ctx.seen.get(parent).isParent = true;
		}
	}
	const meta = ctx.metadataRegistry.get(schema);
	if (meta) assignProps(result.schema, meta);
	if (ctx.io === "input" && isTransforming(schema)) {
		delete result.schema.examples;
		delete result.schema.default;
	}
	if (ctx.io === "input" && "_prefault" in result.schema) (_a = result.schema).default ?? (_a.default = result.schema._prefault);
	delete result.schema._prefault;
	return ctx.seen.get(schema).schema;
}
function encodeJSONPointerSegment(segment) {
	return segment.replace(/~/g, "~0").replace(/\//g, "~1");
}
function extractDefs(ctx, schema) {
	const root = ctx.seen.get(schema);
	if (!root) throw new Error("Unprocessed schema. This is a bug in Zod.");
	if (ctx.external && ctx.sharedDefsExtractedFor === ctx.external) return;
	const idToSchema = /* @__PURE__ */ new Map();
	for (const entry of ctx.seen.entries()) {
		const id = ctx.metadataRegistry.get(entry[0])?.id;
		if (id) {
			const existing = idToSchema.get(id);
			if (existing && existing !== entry[0]) throw new Error(`Duplicate schema id "${id}" detected during JSON Schema conversion. Two different schemas cannot share the same id when converted together.`);
			idToSchema.set(id, entry[0]);
		}
	}
	const makeURI = (entry) => {
		const defsSegment = ctx.target === "draft-2020-12" ? "$defs" : "definitions";
		if (ctx.external) {
			const externalId = ctx.external.registry.get(entry[0])?.id;
			const uriGenerator = ctx.external.uri ?? ((id) => id);
			if (externalId) return { ref: uriGenerator(externalId) };
			const id = entry[1].defId ?? entry[1].schema.id ?? `schema${ctx.counter++}`;
			entry[1].defId = id;
			return {
				defId: id,
				ref: `${uriGenerator("__shared")}#/${defsSegment}/${encodeJSONPointerSegment(id)}`
			};
		}
		const uriPrefix = `#`;
		const defUriPrefix = `${uriPrefix}/${defsSegment}/`;
		if (entry[1] === root && !entry[1].schema.id) return { ref: uriPrefix };
		const defId = entry[1].schema.id ?? `__schema${ctx.counter++}`;
		return {
			defId,
			ref: defUriPrefix + encodeJSONPointerSegment(defId)
		};
	};
	const extractToDef = (entry) => {
		if (entry[1].schema.$ref) return;
		const seen = entry[1];
		const { ref, defId } = makeURI(entry);
		seen.def = { ...seen.schema };
		if (defId) seen.defId = defId;
		const schema = seen.schema;
		for (const key in schema) delete schema[key];
		schema.$ref = ref;
	};
	if (ctx.cycles === "throw") for (const entry of ctx.seen.entries()) {
		const seen = entry[1];
		if (seen.cycle) throw new Error(`Cycle detected: #/${seen.cycle?.join("/")}/<root>

Set the \`cycles\` parameter to \`"ref"\` to resolve cyclical schemas with defs.`);
	}
	for (const entry of ctx.seen.entries()) {
		const seen = entry[1];
		if (schema === entry[0]) {
			extractToDef(entry);
			continue;
		}
		if (ctx.external) {
			const ext = ctx.external.registry.get(entry[0])?.id;
			if (schema !== entry[0] && ext) {
				extractToDef(entry);
				continue;
			}
		}
		if (ctx.metadataRegistry.get(entry[0])?.id) {
			extractToDef(entry);
			continue;
		}
		if (seen.cycle) {
			extractToDef(entry);
			continue;
		}
		if (seen.count > 1) {
			if (ctx.reused === "ref") extractToDef(entry);
		}
	}
	if (ctx.external) ctx.sharedDefsExtractedFor = ctx.external;
}
/** Rewrites `anyOf: [{type: "a"}, {type: "b"}]` to `type: ["a", "b"]`, which every JSON Schema draft treats as equivalent and most consumers render far better for the nullable case. Only branches that are a bare type assertion qualify — anything carrying a constraint, `$ref`, `const` or metadata is left alone. Runs after `flattenRef`, so a branch an override decorated or `$defs` extraction turned into a `$ref` is no longer bare and correctly stays in `anyOf`. `oneOf` is excluded: `integer` and `number` overlap, so "exactly one" and "at least one" are not the same there. OpenAPI 3.0 is excluded: its `type` must be a single string. */
function compactTypeUnion(schema) {
	const options = schema.anyOf;
	if (!Array.isArray(options) || options.length === 0 || schema.type !== void 0) return;
	const types = [];
	for (const option of options) {
		if (!option || typeof option !== "object") return;
		compactTypeUnion(option);
		const keys = Object.keys(option);
		if (keys.length !== 1 || keys[0] !== "type") return;
		const type = option.type;
		for (const member of Array.isArray(type) ? type : [type]) {
			if (typeof member !== "string") return;
			if (!types.includes(member)) types.push(member);
		}
	}
	delete schema.anyOf;
	schema.type = types.length === 1 ? types[0] : types;
}
/** Keywords `foldIntersection` knows how to combine. Anything else — `$ref`, `patternProperties`,
* an annotation like `description` — makes a member unfoldable, so a constraint this does not
* understand leaves the `allOf` alone instead of being silently dropped or misattributed. */
const FOLDABLE_KEYS = /* @__PURE__ */ new Set([
	"type",
	"properties",
	"required",
	"additionalProperties"
]);
const UNION_KEYS = ["oneOf", "anyOf"];
/** A member's constraint on a key it does not declare itself. A `catchall` states one; `false`, an absent `additionalProperties`, and the empty schema a loose object emits state nothing. */
function undeclaredConstraint(member) {
	const extra = member.additionalProperties;
	if (extra === void 0 || extra === false || typeof extra !== "object" || extra === null) return null;
	return Object.keys(extra).length ? extra : null;
}
/** Combines object members into the single object they describe together, or returns `null` if any of them carries a keyword outside {@link FOLDABLE_KEYS}. */
function foldObjects(members) {
	const objects = [];
	for (const member of members) {
		if (typeof member !== "object" || member.type !== "object") return null;
		for (const key in member) if (!FOLDABLE_KEYS.has(key)) return null;
		objects.push(member);
	}
	const properties = {};
	const required = /* @__PURE__ */ new Set();
	for (const object of objects) {
		for (const key in object.properties) {
			if (Object.prototype.hasOwnProperty.call(properties, key)) continue;
			const parts = [];
			for (const other of objects) {
				const part = other.properties?.[key] ?? undeclaredConstraint(other);
				if (part === null || part === void 0) continue;
				if (!parts.some((seen) => JSON.stringify(seen) === JSON.stringify(part))) parts.push(part);
			}
			const merged = parts.length === 1 ? parts[0] : foldObjects(parts) ?? { allOf: parts };
			assignProp(properties, key, merged);
		}
		for (const key of object.required ?? []) required.add(key);
	}
	const folded = {
		type: "object",
		properties
	};
	if (required.size) folded.required = [...required];
	if (objects.every((object) => object.additionalProperties === false)) folded.additionalProperties = false;
	else {
		const constraints = [];
		for (const object of objects) {
			const constraint = undeclaredConstraint(object);
			if (constraint && !constraints.some((seen) => JSON.stringify(seen) === JSON.stringify(constraint))) constraints.push(constraint);
		}
		if (constraints.length === 1) folded.additionalProperties = constraints[0];
		else if (constraints.length > 1) folded.additionalProperties = { allOf: constraints };
	}
	return folded;
}
/** `additionalProperties` in an `allOf` member sees only that member's own `properties`, so two
* closed object members reject each other's keys and the schema validates nothing. Zod's parser
* pools the key sets instead — `handleIntersectionResults` reports a key as unrecognized only when
* *every* side rejects it — so the emitted schema has to pool them too, and folding the members
* into one object is the encoding that says so on every target.
*
* This runs from `finalize`, after `extractDefs`, which is what keeps it clear of the `$ref`
* machinery: a member extracted into `$defs` is already a `$ref` by now and declines to fold, so it
* keeps its reference and its own closedness rather than being inlined as a stale copy. */
function foldIntersection(json) {
	const allOf = json.allOf;
	if (!Array.isArray(allOf) || allOf.length < 2) return;
	for (const key of FOLDABLE_KEYS) if (key in json) return;
	const unions = allOf.filter((m) => UNION_KEYS.some((k) => Array.isArray(m[k])));
	let folded = null;
	if (!unions.length) folded = foldObjects(allOf);
	else {
		const union = unions[0];
		const keyword = UNION_KEYS.find((k) => Array.isArray(union[k]));
		if (Object.keys(union).length !== 1) return;
		const rest = allOf.filter((m) => m !== union);
		const branches = union[keyword].map((branch) => foldObjects([...rest, branch]));
		if (branches.some((b) => !b)) return;
		folded = { [keyword]: branches };
	}
	if (!folded) return;
	delete json.allOf;
	assignProps(json, folded);
}
function finalize(ctx, schema) {
	const root = ctx.seen.get(schema);
	if (!root) throw new Error("Unprocessed schema. This is a bug in Zod.");
	const flattenRef = (zodSchema) => {
		const seen = ctx.seen.get(zodSchema);
		if (seen.ref === null) return;
		const schema = seen.def ?? seen.schema;
		const _cached = { ...schema };
		const ref = seen.ref;
		seen.ref = null;
		if (ref) {
			flattenRef(ref);
			const refSeen = ctx.seen.get(ref);
			const refSchema = refSeen.schema;
			if (refSchema.$ref && (ctx.target === "draft-07" || ctx.target === "draft-04" || ctx.target === "openapi-3.0")) {
				schema.allOf = schema.allOf ?? [];
				schema.allOf.push(refSchema);
			} else assignProps(schema, refSchema);
			assignProps(schema, _cached);
			if (zodSchema._zod.parent === ref) for (const key in schema) {
				if (key === "$ref" || key === "allOf") continue;
				if (!(key in _cached)) delete schema[key];
			}
			if (refSchema.$ref && refSeen.def) for (const key in schema) {
				if (key === "$ref" || key === "allOf") continue;
				if (key in refSeen.def && JSON.stringify(schema[key]) === JSON.stringify(refSeen.def[key])) delete schema[key];
			}
		}
		const parent = zodSchema._zod.parent;
		if (parent && parent !== ref) {
			flattenRef(parent);
			const parentSeen = ctx.seen.get(parent);
			if (parentSeen?.schema.$ref) {
				schema.$ref = parentSeen.schema.$ref;
				if (parentSeen.def) for (const key in schema) {
					if (key === "$ref" || key === "allOf") continue;
					if (key in parentSeen.def && JSON.stringify(schema[key]) === JSON.stringify(parentSeen.def[key])) delete schema[key];
				}
			}
		}
		ctx.override({
			zodSchema,
			jsonSchema: schema,
			path: seen.path ?? []
		});
	};
	if (!ctx.external || ctx.sharedEmitDoneFor !== ctx.external) {
		for (const entry of [...ctx.seen.entries()].reverse()) flattenRef(entry[0]);
		if (ctx.target !== "openapi-3.0") for (const entry of ctx.seen.entries()) compactTypeUnion(entry[1].def ?? entry[1].schema);
		for (const rewrite of ctx.deferred) rewrite();
		if (ctx.intersections.length) {
			const carriers = /* @__PURE__ */ new Map();
			for (const seen of ctx.seen.values()) for (const json of [seen.schema, seen.def]) {
				const allOf = json?.allOf;
				if (!Array.isArray(allOf)) continue;
				const existing = carriers.get(allOf);
				if (existing) existing.push(json);
				else carriers.set(allOf, [json]);
			}
			for (const allOf of ctx.intersections) for (const json of carriers.get(allOf) ?? []) foldIntersection(json);
		}
	}
	const result = {};
	if (ctx.target === "draft-2020-12") result.$schema = "https://json-schema.org/draft/2020-12/schema";
	else if (ctx.target === "draft-07") result.$schema = "http://json-schema.org/draft-07/schema#";
	else if (ctx.target === "draft-04") result.$schema = "http://json-schema.org/draft-04/schema#";
	else if (ctx.target === "openapi-3.0") {}
	if (ctx.external?.uri) {
		const id = ctx.external.registry.get(schema)?.id;
		if (!id) throw new Error("Schema is missing an `id` property");
		result.$id = ctx.external.uri(id);
	}
	assignProps(result, root.defId ? root.schema : root.def ?? root.schema);
	const rootMetaId = ctx.metadataRegistry.get(schema)?.id;
	if (rootMetaId !== void 0 && result.id === rootMetaId) delete result.id;
	const defs = ctx.external?.defs ?? {};
	if (!ctx.external || ctx.sharedEmitDoneFor !== ctx.external) for (const entry of ctx.seen.entries()) {
		const seen = entry[1];
		if (seen.def && seen.defId) {
			if (seen.def.id === seen.defId) delete seen.def.id;
			assignProp(defs, seen.defId, seen.def);
		}
	}
	if (ctx.external) ctx.sharedEmitDoneFor = ctx.external;
	if (ctx.external) {} else if (Object.keys(defs).length > 0) {
		if (ctx.target === "draft-2020-12") result.$defs = defs;
		else result.definitions = defs;
	}
	try {
		const finalized = JSON.parse(JSON.stringify(result));
		Object.defineProperty(finalized, "~standard", {
			value: {
				...schema["~standard"],
				jsonSchema: {
					input: createStandardJSONSchemaMethod(schema, "input", ctx.processors),
					output: createStandardJSONSchemaMethod(schema, "output", ctx.processors)
				}
			},
			enumerable: false,
			writable: false
		});
		return finalized;
	} catch (_err) {
		throw new Error("Error converting schema to JSON.");
	}
}
function isTransforming(_schema, _ctx) {
	const ctx = _ctx ?? { seen: /* @__PURE__ */ new Set() };
	if (ctx.seen.has(_schema)) return false;
	ctx.seen.add(_schema);
	const def = _schema._zod.def;
	if (def.type === "transform") return true;
	if (def.type === "array") return isTransforming(def.element, ctx);
	if (def.type === "set") return isTransforming(def.valueType, ctx);
	if (def.type === "lazy") return isTransforming(def.getter(), ctx);
	if (def.type === "promise" || def.type === "optional" || def.type === "nonoptional" || def.type === "nullable" || def.type === "readonly" || def.type === "default" || def.type === "prefault" || def.type === "catch") return isTransforming(def.innerType, ctx);
	if (def.type === "intersection") return isTransforming(def.left, ctx) || isTransforming(def.right, ctx);
	if (def.type === "record" || def.type === "map") return isTransforming(def.keyType, ctx) || isTransforming(def.valueType, ctx);
	if (def.type === "pipe") {
		if (_schema._zod.traits.has("$ZodCodec")) return true;
		return isTransforming(def.in, ctx) || isTransforming(def.out, ctx);
	}
	if (def.type === "object") {
		for (const key in def.shape) if (isTransforming(def.shape[key], ctx)) return true;
		return false;
	}
	if (def.type === "union") {
		for (const option of def.options) if (isTransforming(option, ctx)) return true;
		return false;
	}
	if (def.type === "tuple") {
		for (const item of def.items) if (isTransforming(item, ctx)) return true;
		if (def.rest && isTransforming(def.rest, ctx)) return true;
		return false;
	}
	return false;
}
/**
* Creates a toJSONSchema method for a schema instance.
* This encapsulates the logic of initializing context, processing, extracting defs, and finalizing.
*/
const createToJSONSchemaMethod = (schema, processors = {}) => (params) => {
	const ctx = initializeContext({
		...params,
		processors
	});
	processSchema(schema, ctx);
	extractDefs(ctx, schema);
	return finalize(ctx, schema);
};
const createStandardJSONSchemaMethod = (schema, io, processors = {}) => (params) => {
	const { libraryOptions, target } = params ?? {};
	const ctx = initializeContext({
		...libraryOptions ?? {},
		target,
		io,
		processors
	});
	processSchema(schema, ctx);
	extractDefs(ctx, schema);
	return finalize(ctx, schema);
};

// node_modules/zod/v4/core/json-schema-processors.js
const narrowMin = (agg, key, value) => {
	if (agg[key] === void 0 || value > agg[key]) agg[key] = value;
};
const narrowMax = (agg, key, value) => {
	if (agg[key] === void 0 || value < agg[key]) agg[key] = value;
};
const narrowBoth = (agg, value) => {
	narrowMin(agg, "minimum", value);
	narrowMax(agg, "maximum", value);
};
const addDivisor = (agg, value) => {
	agg.multipleOf ?? (agg.multipleOf = []);
	if (!agg.multipleOf.includes(value)) agg.multipleOf.push(value);
};
const addPattern = (agg, pattern) => {
	agg.patterns ?? (agg.patterns = /* @__PURE__ */ new Set());
	agg.patterns.add(pattern);
};
const intersectMime = (agg, mime) => {
	agg.mime = agg.mime ? agg.mime.filter((m) => mime.includes(m)) : [...mime];
};
const setFormat = (agg, format) => {
	agg.format = format;
	if (format.includes("int")) agg.isInt = true;
};
const minContributor = (agg, def) => narrowMin(agg, "minimum", def.minimum);
const maxContributor = (agg, def) => narrowMax(agg, "maximum", def.maximum);
const formatContributor = (ranges) => (agg, def) => {
	setFormat(agg, def.format);
	const [minimum, maximum] = ranges[def.format];
	narrowMin(agg, "minimum", minimum);
	narrowMax(agg, "maximum", maximum);
};
const contributors = {
	greater_than: (agg, def) => narrowMin(agg, def.inclusive ? "minimum" : "exclusiveMinimum", def.value),
	less_than: (agg, def) => narrowMax(agg, def.inclusive ? "maximum" : "exclusiveMaximum", def.value),
	multiple_of: (agg, def) => addDivisor(agg, def.value),
	number_format: formatContributor(NUMBER_FORMAT_RANGES),
	bigint_format: formatContributor(BIGINT_FORMAT_RANGES),
	min_length: minContributor,
	max_length: maxContributor,
	length_equals: (agg, def) => narrowBoth(agg, def.length),
	min_size: minContributor,
	max_size: maxContributor,
	size_equals: (agg, def) => narrowBoth(agg, def.size),
	string_format: (agg, def) => {
		setFormat(agg, def.format);
		if (def.pattern) addPattern(agg, def.pattern);
		if (def.format === "base64" || def.format === "base64url") agg.contentEncoding = def.format;
		if (def.local || def.precision === -1) agg.laxFormat = true;
	},
	mime_type: (agg, def) => intersectMime(agg, def.mime)
};
function aggregateChecks(schema) {
	const agg = {};
	const def = schema._zod.def;
	const list = schema._zod.traits.has("$ZodCheck") ? [schema, ...def.checks ?? []] : def.checks ?? [];
	for (const ch of list) contributors[ch._zod.def.check]?.(agg, ch._zod.def);
	const bag = schema._zod.bag;
	if (bag.minimum !== void 0) narrowMin(agg, "minimum", bag.minimum);
	if (bag.exclusiveMinimum !== void 0) narrowMin(agg, "exclusiveMinimum", bag.exclusiveMinimum);
	if (bag.maximum !== void 0) narrowMax(agg, "maximum", bag.maximum);
	if (bag.exclusiveMaximum !== void 0) narrowMax(agg, "exclusiveMaximum", bag.exclusiveMaximum);
	if (bag.multipleOf !== void 0) addDivisor(agg, bag.multipleOf);
	if (bag.format !== void 0) {
		agg.format ?? (agg.format = bag.format);
		if (bag.format.includes("int")) agg.isInt = true;
	}
	if (bag.mime) intersectMime(agg, bag.mime);
	for (const pattern of bag.patterns ?? []) addPattern(agg, pattern);
	return agg;
}
const formatMap = {
	guid: "uuid",
	url: "uri",
	datetime: "date-time",
	json_string: "json-string",
	regex: ""
};
const exactPatterns = /* @__PURE__ */ new Map([[base64Charset, base64], [base64urlCharset, base64url]]);
const exactPattern = (p) => exactPatterns.get(p) ?? p;
const stringProcessor = (schema, ctx, _json, _params) => {
	const json = _json;
	json.type = "string";
	const { minimum, maximum, format, patterns, contentEncoding, laxFormat } = aggregateChecks(schema);
	if (typeof minimum === "number") json.minLength = minimum;
	if (typeof maximum === "number") json.maxLength = maximum;
	if (format) {
		json.format = formatMap[format] ?? format;
		if (json.format === "") delete json.format;
		if (format === "time" || laxFormat) delete json.format;
	}
	if (contentEncoding) json.contentEncoding = contentEncoding;
	if (patterns && patterns.size > 0) {
		const patternList = [...patterns].map(exactPattern);
		if (patternList.length === 1) json.pattern = patternList[0].source;
		else if (patternList.length > 1) json.allOf = [...patternList.map((regex) => ({
			...ctx.target === "draft-07" || ctx.target === "draft-04" || ctx.target === "openapi-3.0" ? { type: "string" } : {},
			pattern: regex.source
		}))];
	}
};
const numberProcessor = (schema, ctx, _json, params) => {
	const json = _json;
	const { minimum, maximum, multipleOf, exclusiveMaximum, exclusiveMinimum, isInt } = aggregateChecks(schema);
	json.type = isInt ? "integer" : "number";
	const exMin = typeof exclusiveMinimum === "number" && exclusiveMinimum >= (minimum ?? Number.NEGATIVE_INFINITY);
	const exMax = typeof exclusiveMaximum === "number" && exclusiveMaximum <= (maximum ?? Number.POSITIVE_INFINITY);
	const legacy = ctx.target === "draft-04" || ctx.target === "openapi-3.0";
	if (exMin) {
		if (legacy) {
			json.minimum = exclusiveMinimum;
			json.exclusiveMinimum = true;
		} else json.exclusiveMinimum = exclusiveMinimum;
	} else if (typeof minimum === "number") json.minimum = minimum;
	if (exMax) {
		if (legacy) {
			json.maximum = exclusiveMaximum;
			json.exclusiveMaximum = true;
		} else json.exclusiveMaximum = exclusiveMaximum;
	} else if (typeof maximum === "number") json.maximum = maximum;
	if (multipleOf) {
		const divisors = /* @__PURE__ */ new Set();
		for (const divisor of multipleOf) if (Number.isFinite(divisor) && divisor !== 0) divisors.add(Math.abs(divisor));
		else handleUnrepresentable(schema, ctx, json, params, `A multipleOf divisor of ${divisor} cannot be represented in JSON Schema`);
		const [first, ...rest] = divisors;
		if (first !== void 0) json.multipleOf = first;
		if (rest.length) json.allOf = [...json.allOf ?? [], ...rest.map((m) => ({ multipleOf: m }))];
	}
};
const neverProcessor = (_schema, _ctx, json, _params) => {
	json.not = {};
};
const unknownProcessor = (_schema, _ctx, _json, _params) => {};
const enumProcessor = (schema, _ctx, json, _params) => {
	const def = schema._zod.def;
	const values = getEnumValues(def.entries);
	if (values.length === 0) {
		json.not = {};
		return;
	}
	if (values.every((v) => typeof v === "number")) json.type = "number";
	if (values.every((v) => typeof v === "string")) json.type = "string";
	json.enum = values;
};
const literalProcessor = (schema, ctx, json, params) => {
	const def = schema._zod.def;
	if (def.values.length === 0) {
		json.not = {};
		return;
	}
	const vals = [];
	for (const val of def.values) if (val === void 0) {
		if (handleUnrepresentable(schema, ctx, json, params, "Literal `undefined` cannot be represented in JSON Schema")) return;
	} else if (typeof val === "bigint") {
		if (handleUnrepresentable(schema, ctx, json, params, "BigInt literals cannot be represented in JSON Schema")) return;
		vals.push(Number(val));
	} else vals.push(val);
	if (vals.length === 0) {} else if (vals.length === 1) {
		const val = vals[0];
		json.type = val === null ? "null" : typeof val;
		if (ctx.target === "draft-04" || ctx.target === "openapi-3.0") json.enum = [val];
		else json.const = val;
	} else {
		if (vals.every((v) => typeof v === "number")) json.type = "number";
		if (vals.every((v) => typeof v === "string")) json.type = "string";
		if (vals.every((v) => typeof v === "boolean")) json.type = "boolean";
		if (vals.every((v) => v === null)) json.type = "null";
		json.enum = vals;
	}
};
const customProcessor = (schema, ctx, json, params) => {
	handleUnrepresentable(schema, ctx, json, params, "Custom types cannot be represented in JSON Schema");
};
const transformProcessor = (schema, ctx, json, params) => {
	handleUnrepresentable(schema, ctx, json, params, "Transforms cannot be represented in JSON Schema");
};
const arrayProcessor = (schema, ctx, _json, params) => {
	const json = _json;
	const def = schema._zod.def;
	const { minimum, maximum } = aggregateChecks(schema);
	if (typeof minimum === "number") json.minItems = minimum;
	if (typeof maximum === "number") json.maxItems = maximum;
	json.type = "array";
	json.items = processSchema(def.element, ctx, {
		...params,
		path: [...params.path, "items"]
	});
};
function inputOptin(schema) {
	const def = schema._zod.def;
	if (def.type === "pipe" && def.in._zod.traits.has("$ZodTransform")) return inputOptin(def.out);
	if (def.type === "catch") return inputOptin(def.innerType);
	return schema._zod.optin;
}
const objectProcessor = (schema, ctx, _json, params) => {
	const json = _json;
	const def = schema._zod.def;
	const shape = def.shape;
	if (Object.getOwnPropertySymbols(shape).length && handleUnrepresentable(schema, ctx, json, params, "Symbol keys cannot be represented in JSON Schema")) return;
	json.type = "object";
	json.properties = {};
	for (const key in shape) assignProp(json.properties, key, processSchema(shape[key], ctx, {
		...params,
		path: [
			...params.path,
			"properties",
			key
		]
	}));
	const requiredKeys = [];
	for (const key of Object.keys(shape)) {
		const field = def.shape[key];
		if (ctx.io === "input" ? inputOptin(field) === void 0 : field._zod.optout === void 0) requiredKeys.push(key);
	}
	if (requiredKeys.length > 0) json.required = requiredKeys;
	if (def.catchall?._zod.def.type === "never") json.additionalProperties = false;
	else if (!def.catchall) {
		if (ctx.io === "output") json.additionalProperties = false;
	} else if (def.catchall) json.additionalProperties = processSchema(def.catchall, ctx, {
		...params,
		path: [...params.path, "additionalProperties"]
	});
};
const unionProcessor = (schema, ctx, json, params) => {
	const def = schema._zod.def;
	const isExclusive = def.inclusive === false;
	const options = def.options.map((x, i) => processSchema(x, ctx, {
		...params,
		path: [
			...params.path,
			isExclusive ? "oneOf" : "anyOf",
			i
		]
	}));
	if (isExclusive) json.oneOf = options;
	else json.anyOf = options;
};
const intersectionProcessor = (schema, ctx, json, params) => {
	const def = schema._zod.def;
	const a = processSchema(def.left, ctx, {
		...params,
		path: [
			...params.path,
			"allOf",
			0
		]
	});
	const b = processSchema(def.right, ctx, {
		...params,
		path: [
			...params.path,
			"allOf",
			1
		]
	});
	const isSimpleIntersection = (val) => "allOf" in val && Object.keys(val).length === 1;
	const allOf = [...isSimpleIntersection(a) ? a.allOf : [a], ...isSimpleIntersection(b) ? b.allOf : [b]];
	json.allOf = allOf;
	ctx.intersections.push(allOf);
};
const tupleProcessor = (schema, ctx, _json, params) => {
	const json = _json;
	const def = schema._zod.def;
	json.type = "array";
	const prefixPath = ctx.target === "draft-2020-12" ? "prefixItems" : "items";
	const restPath = ctx.target === "draft-2020-12" ? "items" : ctx.target === "openapi-3.0" ? "items" : "additionalItems";
	const prefixItems = def.items.map((x, i) => processSchema(x, ctx, {
		...params,
		path: [
			...params.path,
			prefixPath,
			i
		]
	}));
	const rest = def.rest ? processSchema(def.rest, ctx, {
		...params,
		path: [
			...params.path,
			restPath,
			...ctx.target === "openapi-3.0" ? [def.items.length] : []
		]
	}) : null;
	let minItems = def.items.length;
	while (minItems > 0) {
		const item = def.items[minItems - 1];
		if (!(ctx.io === "input" ? inputOptin(item) !== void 0 : item._zod.optout === "optional")) break;
		minItems--;
	}
	const maxItems = def.items.length;
	const isClosed = !def.rest;
	if (ctx.target === "draft-2020-12") {
		json.prefixItems = prefixItems;
		if (isClosed) json.items = false;
		else if (rest) json.items = rest;
		if (minItems > 0) json.minItems = minItems;
		if (isClosed) json.maxItems = maxItems;
	} else if (ctx.target === "openapi-3.0") {
		json.items = { anyOf: prefixItems };
		if (rest) json.items.anyOf.push(rest);
		if (minItems > 0) json.minItems = minItems;
		if (isClosed) json.maxItems = maxItems;
	} else {
		json.items = prefixItems;
		if (isClosed) json.additionalItems = false;
		else if (rest) json.additionalItems = rest;
		if (minItems > 0) json.minItems = minItems;
		if (isClosed) json.maxItems = maxItems;
	}
	const { minimum, maximum } = aggregateChecks(schema);
	if (typeof minimum === "number") json.minItems = minimum;
	if (typeof maximum === "number") json.maxItems = maximum;
};
/** JSON object keys are always strings, so a numeric record key schema is re-expressed over the
* numeric-string form the record parser matches. Deferred to `finalize`, after the flatten: a key
* behind a wrapper only carries its own `type` before then, and a union key only has its branches.
*
* A numeric bound cannot apply to a property name, so `minimum` and its siblings are dropped rather
* than carried over: keeping them beside `type: "string"` reproduces the match-nothing schema this
* exists to fix. A key that carries one therefore emits wider than the record parses — `z.record(z.number().min(5), V)`
* accepts `"3"` — which is the deliberate trade, since throwing on it would reject an ordinary schema
* outright. */
function stringifyKeyNames(bySchema, json, visited) {
	if (json.$ref) {
		if (visited.has(json)) return json;
		visited.add(json);
		const def = bySchema.get(json)?.def;
		if (!def) return json;
		const inlined = stringifyKeyNames(bySchema, def, visited);
		return inlined === def ? json : inlined;
	}
	for (const keyword of ["anyOf", "oneOf"]) {
		const branches = json[keyword];
		if (!Array.isArray(branches)) continue;
		const mapped = branches.map((branch) => stringifyKeyNames(bySchema, branch, visited));
		if (mapped.some((branch, i) => branch !== branches[i])) json = {
			...json,
			[keyword]: mapped
		};
	}
	const types = Array.isArray(json.type) ? json.type : [json.type];
	const numericType = !types.includes("string") && types.some((t) => t === "number" || t === "integer");
	const values = json.enum ?? (json.const !== void 0 ? [json.const] : void 0);
	if (!numericType && !values?.some((v) => typeof v === "number")) return json;
	const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, format, id, ...rest } = json;
	if (rest.enum) rest.enum = rest.enum.map((v) => typeof v === "number" ? String(v) : v);
	else if (typeof rest.const === "number") rest.const = String(rest.const);
	if (!numericType) return rest;
	rest.type = "string";
	if (!values) rest.pattern = (types.includes("number") ? number$2 : integer).source;
	return rest;
}
/** Every record of one conversion, so the carriers are found in a single pass rather than once per record. */
const pendingRecords = /* @__PURE__ */ new WeakMap();
function rewriteKeyNames(ctx) {
	const bySchema = /* @__PURE__ */ new Map();
	for (const entry of ctx.seen.values()) if (entry.def && !bySchema.has(entry.schema)) bySchema.set(entry.schema, entry);
	const rewrites = /* @__PURE__ */ new Map();
	for (const record of pendingRecords.get(ctx) ?? []) {
		const seen = ctx.seen.get(record);
		const names = (seen?.def ?? seen?.schema)?.propertyNames;
		if (!names || names === true || rewrites.has(names)) continue;
		const rewritten = stringifyKeyNames(bySchema, names, /* @__PURE__ */ new Set());
		if (rewritten !== names) rewrites.set(names, rewritten);
	}
	if (!rewrites.size) return;
	for (const entry of ctx.seen.values()) for (const carrier of [entry.schema, entry.def]) {
		const rewritten = carrier && rewrites.get(carrier.propertyNames);
		if (rewritten) carrier.propertyNames = rewritten;
	}
}
const recordProcessor = (schema, ctx, _json, params) => {
	const json = _json;
	const def = schema._zod.def;
	json.type = "object";
	const keyType = def.keyType;
	const patterns = aggregateChecks(keyType).patterns;
	if (def.mode === "loose" && patterns && patterns.size > 0) {
		const valueSchema = processSchema(def.valueType, ctx, {
			...params,
			path: [
				...params.path,
				"patternProperties",
				"*"
			]
		});
		json.patternProperties = {};
		for (const pattern of patterns) assignProp(json.patternProperties, exactPattern(pattern).source, valueSchema);
	} else {
		if (ctx.target === "draft-07" || ctx.target === "draft-2020-12") {
			json.propertyNames = processSchema(def.keyType, ctx, {
				...params,
				path: [...params.path, "propertyNames"]
			});
			let pending = pendingRecords.get(ctx);
			if (!pending) {
				pending = [];
				pendingRecords.set(ctx, pending);
				ctx.deferred.push(() => rewriteKeyNames(ctx));
			}
			pending.push(schema);
		}
		json.additionalProperties = processSchema(def.valueType, ctx, {
			...params,
			path: [...params.path, "additionalProperties"]
		});
	}
	const keyValues = keyType._zod.values;
	const omittableOnInput = ctx.io === "input" && inputOptin(def.valueType) !== void 0;
	if (keyValues && !def.partial && !omittableOnInput) {
		const validKeyValues = [...keyValues].filter((v) => typeof v === "string" || typeof v === "number");
		if (validKeyValues.length > 0) json.required = validKeyValues.map(String);
	}
};
const nullableProcessor = (schema, ctx, json, params) => {
	const def = schema._zod.def;
	const inner = processSchema(def.innerType, ctx, params);
	const seen = ctx.seen.get(schema);
	if (ctx.target === "openapi-3.0") {
		seen.ref = def.innerType;
		json.nullable = true;
	} else json.anyOf = [inner, { type: "null" }];
};
const nonoptionalProcessor = (schema, ctx, _json, params) => {
	const def = schema._zod.def;
	processSchema(def.innerType, ctx, params);
	const seen = ctx.seen.get(schema);
	seen.ref = def.innerType;
};
/** Round-trips a default value through JSON so the emitted schema is guaranteed to be valid JSON.
* A BigInt has no reliable encoding, so it goes through `unrepresentable` like any other
* unrepresentable value. Returns a sentinel when the caller must not write a default of its own. */
const UNREPRESENTABLE_DEFAULT = Symbol();
function serializeDefaultValue(value, schema, ctx, json, params) {
	let unrepresentable = false;
	const serialized = JSON.stringify(value, (_, val) => {
		if (typeof val !== "bigint") return val;
		unrepresentable = true;
		return null;
	});
	if (!unrepresentable) return JSON.parse(serialized);
	handleUnrepresentable(schema, ctx, json, params, "BigInt defaults cannot be represented in JSON Schema");
	return UNREPRESENTABLE_DEFAULT;
}
const defaultProcessor = (schema, ctx, json, params) => {
	const def = schema._zod.def;
	processSchema(def.innerType, ctx, params);
	const seen = ctx.seen.get(schema);
	seen.ref = def.innerType;
	const value = serializeDefaultValue(def.defaultValue, schema, ctx, json, params);
	if (value !== UNREPRESENTABLE_DEFAULT) json.default = value;
};
const prefaultProcessor = (schema, ctx, json, params) => {
	const def = schema._zod.def;
	processSchema(def.innerType, ctx, params);
	const seen = ctx.seen.get(schema);
	seen.ref = def.innerType;
	if (ctx.io !== "input") return;
	const value = serializeDefaultValue(def.defaultValue, schema, ctx, json, params);
	if (value !== UNREPRESENTABLE_DEFAULT) json._prefault = value;
};
const catchProcessor = (schema, ctx, json, params) => {
	const def = schema._zod.def;
	processSchema(def.innerType, ctx, params);
	const seen = ctx.seen.get(schema);
	seen.ref = def.innerType;
	let catchValue;
	try {
		catchValue = def.catchValue(void 0);
	} catch {
		handleUnrepresentable(schema, ctx, json, params, "Dynamic catch values are not supported in JSON Schema");
		return;
	}
	json.default = catchValue;
};
const pipeProcessor = (schema, ctx, _json, params) => {
	const def = schema._zod.def;
	const inIsTransform = def.in._zod.traits.has("$ZodTransform");
	const innerType = ctx.io === "input" ? inIsTransform ? def.out : def.in : def.out;
	processSchema(innerType, ctx, params);
	const seen = ctx.seen.get(schema);
	seen.ref = innerType;
};
const readonlyProcessor = (schema, ctx, json, params) => {
	const def = schema._zod.def;
	processSchema(def.innerType, ctx, params);
	const seen = ctx.seen.get(schema);
	seen.ref = def.innerType;
	json.readOnly = true;
};
const optionalProcessor = (schema, ctx, _json, params) => {
	const def = schema._zod.def;
	processSchema(def.innerType, ctx, params);
	const seen = ctx.seen.get(schema);
	seen.ref = def.innerType;
};

// node_modules/zod/v4/classic/errors.js
const _installedErrorProtos = /* @__PURE__ */ new WeakSet([Object.prototype, Error.prototype]);
function _lazyMethod(proto, key, make) {
	Object.defineProperty(proto, key, {
		configurable: true,
		enumerable: false,
		get() {
			const value = make(this);
			Object.defineProperty(this, key, {
				value,
				configurable: true,
				writable: true
			});
			return value;
		},
		set(value) {
			Object.defineProperty(this, key, {
				value,
				configurable: true,
				writable: true
			});
		}
	});
}
const initializer = (inst, issues) => {
	$ZodError.init(inst, issues);
	inst.name = "ZodError";
	const proto = Object.getPrototypeOf(inst);
	if (_installedErrorProtos.has(proto)) return;
	_installedErrorProtos.add(proto);
	_lazyMethod(proto, "format", (self) => (mapper) => formatError(self, mapper));
	_lazyMethod(proto, "flatten", (self) => (mapper) => flattenError(self, mapper));
	_lazyMethod(proto, "addIssue", (self) => (issue) => {
		self.issues.push(issue);
		self.message = JSON.stringify(self.issues, jsonStringifyReplacer, 2);
	});
	_lazyMethod(proto, "addIssues", (self) => (issues) => {
		self.issues.push(...issues);
		self.message = JSON.stringify(self.issues, jsonStringifyReplacer, 2);
	});
	Object.defineProperty(proto, "isEmpty", {
		configurable: true,
		enumerable: false,
		get() {
			return this.issues.length === 0;
		}
	});
};
const ZodError = /*@__PURE__*/ $constructor("ZodError", initializer);
const ZodRealError = /*@__PURE__*/ $constructor("ZodError", initializer, void 0, { Parent: Error });

// node_modules/zod/v4/classic/parse.js
const parse = /* @__PURE__ */ _parse(ZodRealError);
const parseAsync = /* @__PURE__ */ _parseAsync(ZodRealError);
const safeParse = /* @__PURE__ */ _safeParse(ZodRealError);
const safeParseAsync = /* @__PURE__ */ _safeParseAsync(ZodRealError);
const encode = /* @__PURE__ */ _encode(ZodRealError);
const decode = /* @__PURE__ */ _decode(ZodRealError);
const encodeAsync = /* @__PURE__ */ _encodeAsync(ZodRealError);
const decodeAsync = /* @__PURE__ */ _decodeAsync(ZodRealError);
const safeEncode = /* @__PURE__ */ _safeEncode(ZodRealError);
const safeDecode = /* @__PURE__ */ _safeDecode(ZodRealError);
const safeEncodeAsync = /* @__PURE__ */ _safeEncodeAsync(ZodRealError);
const safeDecodeAsync = /* @__PURE__ */ _safeDecodeAsync(ZodRealError);

// node_modules/zod/v4/classic/schemas.js
function _ensureDefaultLocale() {
	if (!globalConfig.localeError) config(en_default());
}
function _ensureDefaultMemoizer() {
	if (!globalConfig.memoizer) config({ memoizer: memoizer() });
}
const ZodType = /*@__PURE__*/ $constructor("ZodType", (inst, def) => {
	_ensureDefaultLocale();
	$ZodType.init(inst, def);
	inst.def = def;
	inst.type = def.type;
	return inst;
}, {
	check(...chks) {
		const def = this.def;
		return this.clone(mergeDefs(def, { checks: [...def.checks ?? [], ...chks.map((ch) => typeof ch === "function" ? { _zod: {
			check: ch,
			def: { check: "custom" },
			onattach: []
		} } : ch)] }), { parent: true });
	},
	with(...chks) {
		return this.check(...chks);
	},
	clone(def, params) {
		return clone(this, def, params);
	},
	brand() {
		return this;
	},
	register(reg, meta) {
		reg.add(this, meta);
		return this;
	},
	refine(check, params) {
		return this.check(refine(check, params));
	},
	superRefine(refinement, params) {
		return this.check(superRefine(refinement, params));
	},
	overwrite(fn) {
		return this.check(_overwrite(fn));
	},
	optional() {
		return optional(this);
	},
	exactOptional() {
		return exactOptional(this);
	},
	nullable() {
		return nullable(this);
	},
	nullish() {
		return optional(nullable(this));
	},
	nonoptional(params) {
		return nonoptional(this, params);
	},
	array() {
		return array(this);
	},
	or(arg) {
		return union([this, arg]);
	},
	and(arg) {
		return intersection(this, arg);
	},
	transform(tx) {
		return pipe(this, transform(tx));
	},
	default(d) {
		return _default(this, d);
	},
	prefault(d) {
		return prefault(this, d);
	},
	catch(params) {
		return _catch(this, params);
	},
	pipe(target) {
		return pipe(this, target);
	},
	readonly() {
		return readonly(this);
	},
	describe(description) {
		const cl = this.clone();
		globalRegistry.add(cl, { description });
		return cl;
	},
	meta(...args) {
		if (args.length === 0) return globalRegistry.get(this);
		const cl = this.clone();
		globalRegistry.add(cl, args[0]);
		return cl;
	},
	isOptional() {
		return this.safeParse(void 0).success;
	},
	isNullable() {
		return this.safeParse(null).success;
	},
	apply(fn, ...args) {
		return args.length === 0 ? fn(this) : fn(this, ...args);
	},
	get "~standard"() {
		return hide(this, "~standard", {
			...standardProps(this),
			jsonSchema: {
				input: createStandardJSONSchemaMethod(this, "input"),
				output: createStandardJSONSchemaMethod(this, "output")
			}
		});
	},
	set "~standard"(value) {
		own(this, "~standard", value);
	},
	parse: function _parse(data, params) {
		return parse(this, data, params, { callee: _parse });
	},
	parseAsync: async function _parseAsync(data, params) {
		return await parseAsync(this, data, params, { callee: _parseAsync });
	},
	safeParse(data, params) {
		return safeParse(this, data, params);
	},
	async safeParseAsync(data, params) {
		return safeParseAsync(this, data, params);
	},
	get spa() {
		return this?.safeParseAsync;
	},
	set spa(value) {
		own(this, "spa", value);
	},
	validate(data, params) {
		return validate(this, data, params);
	},
	validateAsync(data, params) {
		return validateAsync$1(this, data, params);
	},
	encode: function _encode(data, params) {
		return encode(this, data, params, { callee: _encode });
	},
	decode: function _decode(data, params) {
		return decode(this, data, params, { callee: _decode });
	},
	encodeAsync: async function _encodeAsync(data, params) {
		return await encodeAsync(this, data, params, { callee: _encodeAsync });
	},
	decodeAsync: async function _decodeAsync(data, params) {
		return await decodeAsync(this, data, params, { callee: _decodeAsync });
	},
	safeEncode(data, params) {
		return safeEncode(this, data, params);
	},
	safeDecode(data, params) {
		return safeDecode(this, data, params);
	},
	async safeEncodeAsync(data, params) {
		return safeEncodeAsync(this, data, params);
	},
	async safeDecodeAsync(data, params) {
		return safeDecodeAsync(this, data, params);
	},
	toJSONSchema(params) {
		return createToJSONSchemaMethod(this, {})(params);
	},
	get description() {
		return globalRegistry.get(this)?.description;
	},
	get _def() {
		return this._zod.def;
	}
});
/** @internal */
const _ZodString = /*@__PURE__*/ $constructor("_ZodString", (inst, def) => {
	$ZodString.init(inst, def);
	ZodType.init(inst, def);
	inst._zod.processJSONSchema = (ctx, json, params) => stringProcessor(inst, ctx, json, params);
}, /*@__PURE__*/ derived({
	format: (inst) => aggregateChecks(inst).format ?? null,
	minLength: (inst) => aggregateChecks(inst).minimum ?? null,
	maxLength: (inst) => aggregateChecks(inst).maximum ?? null
}, {
	regex(...args) {
		return this.check(_regex(...args));
	},
	includes(...args) {
		return this.check(_includes(...args));
	},
	startsWith(...args) {
		return this.check(_startsWith(...args));
	},
	endsWith(...args) {
		return this.check(_endsWith(...args));
	},
	min(...args) {
		return this.check(_minLength(...args));
	},
	max(...args) {
		return this.check(_maxLength(...args));
	},
	length(...args) {
		return this.check(_length(...args));
	},
	nonempty(...args) {
		return this.check(_minLength(1, ...args));
	},
	lowercase(params) {
		return this.check(_lowercase(params));
	},
	uppercase(params) {
		return this.check(_uppercase(params));
	},
	trim() {
		return this.check(_trim());
	},
	normalize(...args) {
		return this.check(_normalize(...args));
	},
	toLowerCase() {
		return this.check(_toLowerCase());
	},
	toUpperCase() {
		return this.check(_toUpperCase());
	},
	slugify() {
		return this.check(_slugify());
	}
}));
const ZodString = /*@__PURE__*/ $constructor("ZodString", (inst, def) => {
	$ZodString.init(inst, def);
	_ZodString.init(inst, def);
}, {
	email(params) {
		return this.check(_email(ZodEmail, params));
	},
	url(params) {
		return this.check(_url(ZodURL, params));
	},
	jwt(params) {
		return this.check(_jwt(ZodJWT, params));
	},
	emoji(params) {
		return this.check(_emoji(ZodEmoji, params));
	},
	guid(params) {
		return this.check(_guid(ZodGUID, params));
	},
	uuid(params) {
		return this.check(_uuid(ZodUUID, params));
	},
	uuidv4(params) {
		return this.check(_uuidv4(ZodUUID, params));
	},
	uuidv6(params) {
		return this.check(_uuidv6(ZodUUID, params));
	},
	uuidv7(params) {
		return this.check(_uuidv7(ZodUUID, params));
	},
	nanoid(params) {
		return this.check(_nanoid(ZodNanoID, params));
	},
	cuid(params) {
		return this.check(_cuid(ZodCUID, params));
	},
	cuid2(params) {
		return this.check(_cuid2(ZodCUID2, params));
	},
	ulid(params) {
		return this.check(_ulid(ZodULID, params));
	},
	base64(params) {
		return this.check(_base64(ZodBase64, params));
	},
	base64url(params) {
		return this.check(_base64url(ZodBase64URL, params));
	},
	xid(params) {
		return this.check(_xid(ZodXID, params));
	},
	ksuid(params) {
		return this.check(_ksuid(ZodKSUID, params));
	},
	ipv4(params) {
		return this.check(_ipv4(ZodIPv4, params));
	},
	ipv6(params) {
		return this.check(_ipv6(ZodIPv6, params));
	},
	cidrv4(params) {
		return this.check(_cidrv4(ZodCIDRv4, params));
	},
	cidrv6(params) {
		return this.check(_cidrv6(ZodCIDRv6, params));
	},
	e164(params) {
		return this.check(_e164(ZodE164, params));
	},
	datetime(params) {
		return this.check(_isoDateTime(ZodISODateTime, params));
	},
	date(params) {
		return this.check(_isoDate(ZodISODate, params));
	},
	time(params) {
		return this.check(_isoTime(ZodISOTime, params));
	},
	duration(params) {
		return this.check(_isoDuration(ZodISODuration, params));
	}
});
function string(params) {
	return _string(ZodString, params);
}
const ZodStringFormat = /*@__PURE__*/ $constructor("ZodStringFormat", (inst, def) => {
	$ZodStringFormat.init(inst, def);
	_ZodString.init(inst, def);
});
const ZodISODateTime = /*@__PURE__*/ $constructor("ZodISODateTime", (inst, def) => {
	$ZodISODateTime.init(inst, def);
	ZodStringFormat.init(inst, def);
});
const ZodISODate = /*@__PURE__*/ $constructor("ZodISODate", (inst, def) => {
	$ZodISODate.init(inst, def);
	ZodStringFormat.init(inst, def);
});
const ZodISOTime = /*@__PURE__*/ $constructor("ZodISOTime", (inst, def) => {
	$ZodISOTime.init(inst, def);
	ZodStringFormat.init(inst, def);
});
const ZodISODuration = /*@__PURE__*/ $constructor("ZodISODuration", (inst, def) => {
	$ZodISODuration.init(inst, def);
	ZodStringFormat.init(inst, def);
});
const ZodEmail = /*@__PURE__*/ $constructor("ZodEmail", (inst, def) => {
	$ZodEmail.init(inst, def);
	ZodStringFormat.init(inst, def);
});
const ZodGUID = /*@__PURE__*/ $constructor("ZodGUID", (inst, def) => {
	$ZodGUID.init(inst, def);
	ZodStringFormat.init(inst, def);
});
const ZodUUID = /*@__PURE__*/ $constructor("ZodUUID", (inst, def) => {
	$ZodUUID.init(inst, def);
	ZodStringFormat.init(inst, def);
});
const ZodURL = /*@__PURE__*/ $constructor("ZodURL", (inst, def) => {
	$ZodURL.init(inst, def);
	ZodStringFormat.init(inst, def);
});
function url(params) {
	return _url(ZodURL, params);
}
const ZodEmoji = /*@__PURE__*/ $constructor("ZodEmoji", (inst, def) => {
	$ZodEmoji.init(inst, def);
	ZodStringFormat.init(inst, def);
});
const ZodNanoID = /*@__PURE__*/ $constructor("ZodNanoID", (inst, def) => {
	$ZodNanoID.init(inst, def);
	ZodStringFormat.init(inst, def);
});
/**
* @deprecated CUID v1 is deprecated by its authors due to information leakage
* (timestamps embedded in the id). Use {@link ZodCUID2} instead.
* See https://github.com/paralleldrive/cuid.
*/
const ZodCUID = /*@__PURE__*/ $constructor("ZodCUID", (inst, def) => {
	$ZodCUID.init(inst, def);
	ZodStringFormat.init(inst, def);
});
const ZodCUID2 = /*@__PURE__*/ $constructor("ZodCUID2", (inst, def) => {
	$ZodCUID2.init(inst, def);
	ZodStringFormat.init(inst, def);
});
const ZodULID = /*@__PURE__*/ $constructor("ZodULID", (inst, def) => {
	$ZodULID.init(inst, def);
	ZodStringFormat.init(inst, def);
});
const ZodXID = /*@__PURE__*/ $constructor("ZodXID", (inst, def) => {
	$ZodXID.init(inst, def);
	ZodStringFormat.init(inst, def);
});
const ZodKSUID = /*@__PURE__*/ $constructor("ZodKSUID", (inst, def) => {
	$ZodKSUID.init(inst, def);
	ZodStringFormat.init(inst, def);
});
const ZodIPv4 = /*@__PURE__*/ $constructor("ZodIPv4", (inst, def) => {
	$ZodIPv4.init(inst, def);
	ZodStringFormat.init(inst, def);
});
const ZodIPv6 = /*@__PURE__*/ $constructor("ZodIPv6", (inst, def) => {
	$ZodIPv6.init(inst, def);
	ZodStringFormat.init(inst, def);
});
const ZodCIDRv4 = /*@__PURE__*/ $constructor("ZodCIDRv4", (inst, def) => {
	$ZodCIDRv4.init(inst, def);
	ZodStringFormat.init(inst, def);
});
const ZodCIDRv6 = /*@__PURE__*/ $constructor("ZodCIDRv6", (inst, def) => {
	$ZodCIDRv6.init(inst, def);
	ZodStringFormat.init(inst, def);
});
const ZodBase64 = /*@__PURE__*/ $constructor("ZodBase64", (inst, def) => {
	$ZodBase64.init(inst, def);
	ZodStringFormat.init(inst, def);
});
const ZodBase64URL = /*@__PURE__*/ $constructor("ZodBase64URL", (inst, def) => {
	$ZodBase64URL.init(inst, def);
	ZodStringFormat.init(inst, def);
});
const ZodE164 = /*@__PURE__*/ $constructor("ZodE164", (inst, def) => {
	$ZodE164.init(inst, def);
	ZodStringFormat.init(inst, def);
});
const ZodJWT = /*@__PURE__*/ $constructor("ZodJWT", (inst, def) => {
	$ZodJWT.init(inst, def);
	ZodStringFormat.init(inst, def);
});
const ZodNumber = /*@__PURE__*/ $constructor("ZodNumber", (inst, def) => {
	$ZodNumber.init(inst, def);
	ZodType.init(inst, def);
	inst._zod.processJSONSchema = (ctx, json, params) => numberProcessor(inst, ctx, json, params);
	inst.isFinite = true;
}, /*@__PURE__*/ derived({
	minValue: (inst) => {
		const { minimum, exclusiveMinimum } = aggregateChecks(inst);
		return Math.max(minimum ?? Number.NEGATIVE_INFINITY, exclusiveMinimum ?? Number.NEGATIVE_INFINITY);
	},
	maxValue: (inst) => {
		const { maximum, exclusiveMaximum } = aggregateChecks(inst);
		return Math.min(maximum ?? Number.POSITIVE_INFINITY, exclusiveMaximum ?? Number.POSITIVE_INFINITY);
	},
	isInt: (inst) => {
		const { isInt, multipleOf } = aggregateChecks(inst);
		return !!isInt || !!multipleOf?.some(Number.isSafeInteger);
	},
	format: (inst) => aggregateChecks(inst).format ?? null
}, {
	gt(value, params) {
		return this.check(_gt(value, params));
	},
	gte(value, params) {
		return this.check(_gte(value, params));
	},
	min(value, params) {
		return this.check(_gte(value, params));
	},
	lt(value, params) {
		return this.check(_lt(value, params));
	},
	lte(value, params) {
		return this.check(_lte(value, params));
	},
	max(value, params) {
		return this.check(_lte(value, params));
	},
	int(params) {
		return this.check(int(params));
	},
	safe(params) {
		return this.check(int(params));
	},
	positive(params) {
		return this.check(_gt(0, params));
	},
	nonnegative(params) {
		return this.check(_gte(0, params));
	},
	negative(params) {
		return this.check(_lt(0, params));
	},
	nonpositive(params) {
		return this.check(_lte(0, params));
	},
	multipleOf(value, params) {
		return this.check(_multipleOf(value, params));
	},
	step(value, params) {
		return this.check(_multipleOf(value, params));
	},
	finite() {
		return this;
	}
}));
function number$1(params) {
	return _number(ZodNumber, params);
}
const ZodNumberFormat = /*@__PURE__*/ $constructor("ZodNumberFormat", (inst, def) => {
	$ZodNumberFormat.init(inst, def);
	ZodNumber.init(inst, def);
});
function int(params) {
	return _int(ZodNumberFormat, params);
}
const ZodUnknown = /*@__PURE__*/ $constructor("ZodUnknown", (inst, def) => {
	$ZodUnknown.init(inst, def);
	ZodType.init(inst, def);
	inst._zod.processJSONSchema = (ctx, json, params) => unknownProcessor(inst, ctx, json, params);
});
function unknown() {
	return _unknown(ZodUnknown);
}
const ZodNever = /*@__PURE__*/ $constructor("ZodNever", (inst, def) => {
	$ZodNever.init(inst, def);
	ZodType.init(inst, def);
	inst._zod.processJSONSchema = (ctx, json, params) => neverProcessor(inst, ctx, json, params);
});
function never(params) {
	return _never(ZodNever, params);
}
const ZodArray = /*@__PURE__*/ $constructor("ZodArray", (inst, def) => {
	_ensureDefaultMemoizer();
	$ZodArray.init(inst, def);
	ZodType.init(inst, def);
	inst._zod.processJSONSchema = (ctx, json, params) => arrayProcessor(inst, ctx, json, params);
	inst.element = def.element;
}, {
	min(n, params) {
		return this.check(_minLength(n, params));
	},
	nonempty(params) {
		return this.check(_minLength(1, params));
	},
	max(n, params) {
		return this.check(_maxLength(n, params));
	},
	length(n, params) {
		return this.check(_length(n, params));
	},
	unwrap() {
		return this.element;
	}
});
function array(element, params) {
	return _array(ZodArray, element, params);
}
const ZodObject = /*@__PURE__*/ $constructor("ZodObject", (inst, def) => {
	_ensureDefaultMemoizer();
	$ZodObjectJIT.init(inst, def);
	ZodType.init(inst, def);
	inst._zod.processJSONSchema = (ctx, json, params) => objectProcessor(inst, ctx, json, params);
	installLazyProp(inst, "shape", (self) => self._zod.def.shape, false);
}, {
	keyof() {
		return _enum(Object.keys(this._zod.def.shape));
	},
	catchall(catchall) {
		return this.clone(mergeDefs(this._zod.def, { catchall }));
	},
	passthrough() {
		return this.clone(mergeDefs(this._zod.def, { catchall: unknown() }));
	},
	loose() {
		return this.clone(mergeDefs(this._zod.def, { catchall: unknown() }));
	},
	strict() {
		return this.clone(mergeDefs(this._zod.def, { catchall: never() }));
	},
	strip() {
		return this.clone(mergeDefs(this._zod.def, { catchall: void 0 }));
	},
	extend(incoming) {
		return extend(this, incoming);
	},
	safeExtend(incoming) {
		return safeExtend(this, incoming);
	},
	merge(other) {
		return merge(this, other);
	},
	pick(mask) {
		return pick(this, mask);
	},
	omit(mask) {
		return omit(this, mask);
	},
	partial(...args) {
		return partial(ZodOptional, this, args[0]);
	},
	exactPartial(...args) {
		return partial(ZodExactOptional, this, args[0], "exactPartial");
	},
	required(...args) {
		return required(ZodNonOptional, this, args[0]);
	}
});
function object(shape, params) {
	const def = {
		type: "object",
		shape: shape ?? {},
		...normalizeParams(params)
	};
	return new ZodObject(def);
}
const ZodUnion = /*@__PURE__*/ $constructor("ZodUnion", (inst, def) => {
	$ZodUnion.init(inst, def);
	ZodType.init(inst, def);
	inst._zod.processJSONSchema = (ctx, json, params) => unionProcessor(inst, ctx, json, params);
	inst.options = def.options;
});
function union(options, params) {
	return new ZodUnion({
		type: "union",
		options,
		...normalizeParams(params)
	});
}
const ZodDiscriminatedUnion = /*@__PURE__*/ $constructor("ZodDiscriminatedUnion", (inst, def) => {
	ZodUnion.init(inst, def);
	$ZodDiscriminatedUnion.init(inst, def);
});
function discriminatedUnion(discriminator, options, params) {
	return new ZodDiscriminatedUnion({
		type: "union",
		options,
		discriminator,
		...normalizeParams(params)
	});
}
const ZodIntersection = /*@__PURE__*/ $constructor("ZodIntersection", (inst, def) => {
	$ZodIntersection.init(inst, def);
	ZodType.init(inst, def);
	inst._zod.processJSONSchema = (ctx, json, params) => intersectionProcessor(inst, ctx, json, params);
});
function intersection(left, right) {
	return new ZodIntersection({
		type: "intersection",
		left,
		right
	});
}
const ZodTuple = /*@__PURE__*/ $constructor("ZodTuple", (inst, def) => {
	_ensureDefaultMemoizer();
	$ZodTuple.init(inst, def);
	ZodType.init(inst, def);
	inst._zod.processJSONSchema = (ctx, json, params) => tupleProcessor(inst, ctx, json, params);
}, {
	rest(rest) {
		return this.clone({
			...this._zod.def,
			rest
		});
	},
	partial() {
		const def = this._zod.def;
		if (def.checks?.length) throw new Error(".partial() cannot be used on tuple schemas containing refinements");
		return this.clone({
			...def,
			items: def.items.map((item) => new ZodOptional({
				type: "optional",
				innerType: item
			}))
		});
	}
});
function tuple(items, _paramsOrRest, _params) {
	const hasRest = _paramsOrRest instanceof $ZodType;
	const params = hasRest ? _params : _paramsOrRest;
	return new ZodTuple({
		type: "tuple",
		items,
		rest: hasRest ? _paramsOrRest : null,
		...normalizeParams(params)
	});
}
const ZodRecord = /*@__PURE__*/ $constructor("ZodRecord", (inst, def) => {
	_ensureDefaultMemoizer();
	$ZodRecord.init(inst, def);
	ZodType.init(inst, def);
	inst._zod.processJSONSchema = (ctx, json, params) => recordProcessor(inst, ctx, json, params);
	inst.keyType = def.keyType;
	inst.valueType = def.valueType;
});
function record(keyType, valueType, params) {
	if (!valueType || !valueType._zod) return new ZodRecord({
		type: "record",
		keyType: string(),
		valueType: keyType,
		...normalizeParams(valueType)
	});
	return new ZodRecord({
		type: "record",
		keyType,
		valueType,
		...normalizeParams(params)
	});
}
const ZodEnum = /*@__PURE__*/ $constructor("ZodEnum", (inst, def) => {
	$ZodEnum.init(inst, def);
	ZodType.init(inst, def);
	inst._zod.processJSONSchema = (ctx, json, params) => enumProcessor(inst, ctx, json, params);
	inst.enum = def.entries;
	inst.options = [...inst._zod.values];
	const keys = new Set(Object.keys(def.entries));
	inst.extract = (values, params) => {
		const newEntries = {};
		for (const value of values) if (keys.has(value)) newEntries[value] = def.entries[value];
		else throw new Error(`Key ${value} not found in enum`);
		return new ZodEnum({
			...def,
			checks: [],
			...normalizeParams(params),
			entries: newEntries
		});
	};
	inst.exclude = (values, params) => {
		const newEntries = { ...def.entries };
		for (const value of values) if (keys.has(value)) delete newEntries[value];
		else throw new Error(`Key ${value} not found in enum`);
		return new ZodEnum({
			...def,
			checks: [],
			...normalizeParams(params),
			entries: newEntries
		});
	};
});
function _enum(values, params) {
	const entries = Array.isArray(values) ? Object.fromEntries(values.map((v) => [v, v])) : values;
	return new ZodEnum({
		type: "enum",
		entries,
		...normalizeParams(params)
	});
}
const ZodLiteral = /*@__PURE__*/ $constructor("ZodLiteral", (inst, def) => {
	$ZodLiteral.init(inst, def);
	ZodType.init(inst, def);
	inst._zod.processJSONSchema = (ctx, json, params) => literalProcessor(inst, ctx, json, params);
	inst.values = new Set(def.values);
	Object.defineProperty(inst, "value", { get() {
		if (def.values.length > 1) throw new Error("This schema contains multiple valid literal values. Use `.values` instead.");
		return def.values[0];
	} });
});
function literal(value, params) {
	return new ZodLiteral({
		type: "literal",
		values: Array.isArray(value) ? value : [value],
		...normalizeParams(params)
	});
}
const ZodTransform = /*@__PURE__*/ $constructor("ZodTransform", (inst, def) => {
	_ensureDefaultMemoizer();
	$ZodTransform.init(inst, def);
	ZodType.init(inst, def);
	inst._zod.processJSONSchema = (ctx, json, params) => transformProcessor(inst, ctx, json, params);
	inst._zod.parse = (payload, _ctx) => {
		if (_ctx.direction === "backward") throw new $ZodEncodeError(inst.constructor.name);
		payload.addIssue = (issue$1) => {
			if (typeof issue$1 === "string") payload.issues.push(issue(issue$1, payload.value, def));
			else {
				const _issue = issue$1;
				if (_issue.fatal) _issue.continue = false;
				_issue.code ?? (_issue.code = "custom");
				if (!("input" in _issue)) _issue.input = payload.value;
				_issue.inst ?? (_issue.inst = inst);
				payload.issues.push(issue(_issue));
			}
		};
		const output = def.transform(payload.value, payload);
		if (output instanceof Promise) return output.then((output) => {
			payload.value = output;
			return payload;
		});
		payload.value = output;
		return payload;
	};
});
function transform(fn) {
	return new ZodTransform({
		type: "transform",
		transform: fn
	});
}
const ZodOptional = /*@__PURE__*/ $constructor("ZodOptional", (inst, def) => {
	$ZodOptional.init(inst, def);
	ZodType.init(inst, def);
	inst._zod.processJSONSchema = (ctx, json, params) => optionalProcessor(inst, ctx, json, params);
	inst.unwrap = () => inst._zod.def.innerType;
});
function optional(innerType) {
	return new ZodOptional({
		type: "optional",
		innerType
	});
}
const ZodExactOptional = /*@__PURE__*/ $constructor("ZodExactOptional", (inst, def) => {
	$ZodExactOptional.init(inst, def);
	ZodType.init(inst, def);
	inst._zod.processJSONSchema = (ctx, json, params) => optionalProcessor(inst, ctx, json, params);
	inst.unwrap = () => inst._zod.def.innerType;
});
function exactOptional(innerType) {
	return new ZodExactOptional({
		type: "optional",
		innerType
	});
}
const ZodNullable = /*@__PURE__*/ $constructor("ZodNullable", (inst, def) => {
	$ZodNullable.init(inst, def);
	ZodType.init(inst, def);
	inst._zod.processJSONSchema = (ctx, json, params) => nullableProcessor(inst, ctx, json, params);
	inst.unwrap = () => inst._zod.def.innerType;
});
function nullable(innerType) {
	return new ZodNullable({
		type: "nullable",
		innerType
	});
}
const ZodDefault = /*@__PURE__*/ $constructor("ZodDefault", (inst, def) => {
	$ZodDefault.init(inst, def);
	ZodType.init(inst, def);
	inst._zod.processJSONSchema = (ctx, json, params) => defaultProcessor(inst, ctx, json, params);
	inst.unwrap = () => inst._zod.def.innerType;
	inst.removeDefault = inst.unwrap;
});
function _default(innerType, defaultValue) {
	return new ZodDefault({
		type: "default",
		innerType,
		get defaultValue() {
			return typeof defaultValue === "function" ? defaultValue() : shallowClone(defaultValue);
		}
	});
}
const ZodPrefault = /*@__PURE__*/ $constructor("ZodPrefault", (inst, def) => {
	$ZodPrefault.init(inst, def);
	ZodType.init(inst, def);
	inst._zod.processJSONSchema = (ctx, json, params) => prefaultProcessor(inst, ctx, json, params);
	inst.unwrap = () => inst._zod.def.innerType;
});
function prefault(innerType, defaultValue) {
	return new ZodPrefault({
		type: "prefault",
		innerType,
		get defaultValue() {
			return typeof defaultValue === "function" ? defaultValue() : shallowClone(defaultValue);
		}
	});
}
const ZodNonOptional = /*@__PURE__*/ $constructor("ZodNonOptional", (inst, def) => {
	$ZodNonOptional.init(inst, def);
	ZodType.init(inst, def);
	inst._zod.processJSONSchema = (ctx, json, params) => nonoptionalProcessor(inst, ctx, json, params);
	inst.unwrap = () => inst._zod.def.innerType;
});
function nonoptional(innerType, params) {
	return new ZodNonOptional({
		type: "nonoptional",
		innerType,
		...normalizeParams(params)
	});
}
const ZodCatch = /*@__PURE__*/ $constructor("ZodCatch", (inst, def) => {
	$ZodCatch.init(inst, def);
	ZodType.init(inst, def);
	inst._zod.processJSONSchema = (ctx, json, params) => catchProcessor(inst, ctx, json, params);
	inst.unwrap = () => inst._zod.def.innerType;
	inst.removeCatch = inst.unwrap;
});
function _catch(innerType, catchValue) {
	return new ZodCatch({
		type: "catch",
		innerType,
		catchValue: typeof catchValue === "function" ? catchValue : constantCatch(catchValue)
	});
}
const ZodPipe = /*@__PURE__*/ $constructor("ZodPipe", (inst, def) => {
	$ZodPipe.init(inst, def);
	ZodType.init(inst, def);
	inst._zod.processJSONSchema = (ctx, json, params) => pipeProcessor(inst, ctx, json, params);
	inst.in = def.in;
	inst.out = def.out;
});
function pipe(in_, out) {
	return new ZodPipe({
		type: "pipe",
		in: in_,
		out
	});
}
const ZodReadonly = /*@__PURE__*/ $constructor("ZodReadonly", (inst, def) => {
	$ZodReadonly.init(inst, def);
	ZodType.init(inst, def);
	inst._zod.processJSONSchema = (ctx, json, params) => readonlyProcessor(inst, ctx, json, params);
	inst.unwrap = () => inst._zod.def.innerType;
});
function readonly(innerType) {
	return new ZodReadonly({
		type: "readonly",
		innerType
	});
}
const ZodCustom = /*@__PURE__*/ $constructor("ZodCustom", (inst, def) => {
	$ZodCustom.init(inst, def);
	ZodType.init(inst, def);
	inst._zod.processJSONSchema = (ctx, json, params) => customProcessor(inst, ctx, json, params);
});
function refine(fn, _params = {}) {
	return _refine(ZodCustom, fn, _params);
}
function superRefine(fn, params) {
	return _superRefine(fn, params);
}

// src/domain/measurement.ts
/**
* What a trial gave. The action writes it, the bot reads it, and nothing else passes between them: this file is the one
* form that both import.
*
* Always: a value is there only when the trial was `measured`, and then it is a finite number. A crash has no value (the
* zero that karpathy's table writes for it exists in results.tsv alone: zero would be the best bits per byte there is).
* A trial that ended well and said a value that can be none (nan, inf, zero of a metric that is better lower) is `unknown`:
* neither a crash nor a number, and `because` names what was printed.
*/
const number = number$1().refine(Number.isFinite, "must be finite");
const common = {
	version: literal(1),
	/** `issue:experiment:attempt` */
	trial: string().regex(/^\d+:\d+:\d+$/),
	/** The commit whose mutable files were trained. */
	commit: string().regex(/^[0-9a-f]{40}$/),
	/** The commit whose protected files were used. */
	base: string().regex(/^[0-9a-f]{40}$/),
	/** One phrase for people: why it ended so. */
	because: string().max(1e3),
	/** Wall-clock seconds that the candidate's commands had: the training, and the serving while it was evaluated. */
	seconds: number.min(0),
	/** Every `key: number` line of the summary block, by its key. */
	metrics: record(string(), number),
	/** Exit status of the training command; null where a signal ended it or it never began. */
	exitCode: number$1().int().nullable(),
	signal: string().nullable(),
	/** How the candidate was kept apart: `none`, `bubblewrap`, … */
	sandbox: string().max(100),
	/** Hashes of the protected files were compared before and after: how many, and which changed. */
	protectedFiles: object({
		count: number$1().int().min(0),
		changed: array(string()).max(50)
	}),
	/** Name of the runner. */
	runner: string().max(200),
	/** `[seconds or step, loss]`, at most 200 points, in order. */
	curve: array(tuple([number, number])).max(200),
	/** The end of the training log, redacted, at most 16 000 characters. */
	logTail: string().max(16e3),
	/** Where it broke, when it broke in a mutable file. */
	at: object({
		path: string(),
		line: number$1().int().min(1),
		message: string()
	}).nullable()
};
const measurementSchema = discriminatedUnion("status", [
	object({
		...common,
		status: literal("measured"),
		value: number
	}),
	object({
		...common,
		status: literal("crash")
	}),
	object({
		...common,
		status: literal("timeout")
	}),
	object({
		...common,
		status: literal("cancelled")
	}),
	object({
		...common,
		status: literal("rejected")
	}),
	object({
		...common,
		status: literal("unknown")
	})
]);
/** What the bot tells the action to do: the `spec` input of the workflow, as JSON. */
const trialSpecSchema = object({
	version: literal(1),
	/** The training command, run by `bash -c` in the checkout. */
	command: string().min(1),
	/** A protected command whose output is the metric; null: the metric is read from the training log. */
	evaluate: string().min(1).nullable(),
	/** Run in the base's own files before the candidate's are laid over them, outside the sandbox; null: the action's own idea. */
	setup: string().min(1).nullable().default(null),
	/** A command of the candidate that answers the evaluate command through pipes; null: there is none. */
	serve: string().min(1).nullable().default(null),
	/** Files outside the checkout, as absolute globs or from `~/`, that must be the same after the trial. */
	protect: array(string().min(1)).default([]),
	/** Files that the evaluate command alone may read: globs in the checkout, absolute, or from `~/`. */
	private: array(string().min(1)).default([]),
	/** For the command to know (AUTORESEARCH_BUDGET_SECONDS); the command itself keeps to it. */
	budgetSeconds: number$1().positive(),
	/** After this long the command is ended and the trial is a `timeout`. */
	timeoutSeconds: number$1().positive(),
	/** Paths (or globs) of the mutable surface: taken from the candidate, everything else from the base. */
	mutable: array(string().min(1)).min(1),
	/** `val_bpb`: the name of the metric's line, and of the check. */
	metric: string().regex(/^[A-Za-z][\w.-]{0,63}$/),
	direction: _enum(["lower", "higher"]),
	sandbox: _enum([
		"auto",
		"required",
		"off"
	]),
	/** The frontier's value when the trial was dispatched, for the check's title; null before there is a baseline. */
	frontier: number$1().nullable()
});
/** How long the set-up of a trial may take; the action ends it then. */
const setupLimitSeconds = 1800;
const fence = "````";
const opening = `${fence}json measurement\n`;
/** The measurement inside the check's text, where `parseMeasurement` finds it again. */
function formatMeasurement(json) {
	return `<details><summary>The measurement, as the bot reads it</summary>\n\n${opening}${json}\n${fence}\n\n</details>`;
}
/** The JSON that `formatMeasurement` was given, exactly (its digest is what the run vouches for), or null. */
function measurementJsonOf(checkText) {
	const start = checkText.lastIndexOf(opening);
	if (start < 0) return null;
	const end = checkText.indexOf(`\n${fence}`, start + opening.length);
	return end < 0 ? null : checkText.slice(start + opening.length, end);
}
/** Parses the JSON of a measurement; null when it is not one. */
function parseMeasurement(json) {
	try {
		return measurementSchema.parse(JSON.parse(json));
	} catch {
		return null;
	}
}

// action/src/measurement-json.ts
/**
* The measurement as it travels: through a job output, an environment variable and a check's text, and its digest
* through the name of a job. It must arrive byte for byte, so it is one line of ASCII, and small enough for each of them.
*/
/** Bytes: leaves a third of a check's text (65 535) for the log that people read, and is below Linux's 128 KiB for one variable. */
const maxMeasurementBytes = 4e4;
/** JSON in ASCII: what is not is written as `\uXXXX`, so no step on the way can change it. */
function asciiJson(value) {
	return JSON.stringify(value).replace(/[\u007f-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
/**
* The measurement's JSON, at most `maxMeasurementBytes`. What is too long is shortened: the log first, from its start,
* then the curve, then the names of changed files. Throws a ZodError when it is not a measurement.
*/
function encodeMeasurement(measurement) {
	let current = measurementSchema.parse(measurement);
	for (;;) {
		const json = asciiJson(current);
		const excess = json.length - maxMeasurementBytes;
		if (excess <= 0) return json;
		if (current.logTail !== "") current = {
			...current,
			logTail: current.logTail.slice(Math.max(Math.ceil(excess / 6), 64))
		};
		else if (current.curve.length > 2) current = {
			...current,
			curve: current.curve.filter((_, index) => index % 2 === 0)
		};
		else if (current.protectedFiles.changed.length > 1) {
			const { count, changed } = current.protectedFiles;
			current = {
				...current,
				protectedFiles: {
					count,
					changed: changed.slice(0, changed.length >> 1)
				}
			};
		} else throw new Error("the measurement is too large even without its log");
	}
}
/**
* The measurement's JSON, whatever the candidate got into it: one that can't be encoded is told without what came from
* the candidate. It is a `rejected` one where it was, else a crash: never a value.
*/
function encodeInAnyCase(measurement) {
	try {
		return encodeMeasurement(measurement);
	} catch (error) {
		const said = error instanceof ZodError ? error.issues.map(({ path }) => path.join(".")).join(", ") : String(error);
		const { version, trial, commit, base, sandbox } = measurement;
		const { count, changed } = measurement.protectedFiles;
		const isBroken = measurement.status === "rejected" || changed.length > 0;
		return encodeMeasurement({
			version,
			trial,
			commit,
			base,
			sandbox: sandbox.slice(0, 100),
			status: isBroken ? "rejected" : "crash",
			because: `what the trial gave has no form that can be handed over: ${said}`.slice(0, 300),
			seconds: Number.isFinite(measurement.seconds) ? Math.max(0, measurement.seconds) : 0,
			metrics: {},
			exitCode: null,
			signal: null,
			protectedFiles: {
				count,
				changed: changed.slice(0, 1).map((path) => path.slice(0, 200))
			},
			runner: measurement.runner.slice(0, 200),
			curve: [],
			logTail: "",
			at: null
		});
	}
}
/** SHA-256 of the exact JSON, in hexadecimal: the name of the job that reports it carries it. */
function digestOf(json) {
	return createHash("sha256").update(json).digest("hex");
}

// action/src/file-commands.ts
/**
* The files through which a step speaks to its runner. Values are written in the multi-line form with a random delimiter,
* so that no value can end itself and begin another.
*/
/** The multi-line form: `name<<delimiter`, the value, `delimiter`. */
function outputText(outputs, delimiter) {
	return Object.entries(outputs).map(([name, value]) => {
		const end = delimiter();
		if (value.includes(end) || name.includes(end)) throw new Error("the delimiter is in the value");
		return `${name}<<${end}\n${value}\n${end}\n`;
	}).join("");
}
/**
* Sets the step's outputs. The file is overwritten, not appended to: until now nobody of ours wrote to it, so whatever
* is in it came from the code under trial.
*/
function writeOutputs(file, outputs) {
	if (file === void 0 || file === "") throw new Error("GITHUB_OUTPUT is not set: this runs inside GitHub Actions only");
	writeFileSync(file, outputText(outputs, () => `autoresearch_${randomUUID()}`));
}
const maxSummaryBytes = 1e6;
/** Shows markdown on the run's page. Does nothing where there is no such page, or where the text is too long for it. */
function appendStepSummary(file, markdown) {
	if (file === void 0 || file === "" || Buffer.byteLength(markdown) > maxSummaryBytes) return;
	appendFileSync(file, `${markdown}\n`);
}

// src/domain/names.ts
function parseTrialId(text) {
	const match = /^([1-9]\d*):(0|[1-9]\d*):([1-9]\d*)$/.exec(text);
	if (match === null) return null;
	const [issue, experiment, attempt] = match.slice(1).map(Number);
	return [
		issue,
		experiment,
		attempt
	].every(Number.isSafeInteger) ? {
		issue,
		experiment,
		attempt
	} : null;
}

// action/src/inputs.ts
/** The action's inputs and the part of the runner's environment that it uses, checked before anything is done. */
const commitId = string().regex(/^[0-9a-f]{40}$/, "must be a full commit id (40 hexadecimal digits)");
const address = url({
	protocol: /^(?:https?|file)$/,
	error: "must be the address of a GitHub"
}).transform((url) => url.replace(/\/+$/, ""));
const shared = {
	trial: string().refine((text) => parseTrialId(text) !== null, "must be issue:experiment:attempt, such as 12:7:1"),
	commit: commitId,
	base: commitId,
	spec: string().transform((text, context) => {
		const parsed = trialSpecSchema.safeParse(jsonOf$1(text));
		if (parsed.success) return parsed.data;
		for (const { path, message } of parsed.error.issues) context.addIssue({
			code: "custom",
			path,
			message
		});
		return NEVER;
	}),
	token: string(),
	GITHUB_SERVER_URL: address.default("https://github.com"),
	GITHUB_REPOSITORY: string().regex(/^[\w.-]+\/[\w.-]+$/, "must be owner/repository"),
	GITHUB_RUN_ID: string().regex(/^\d+$/, "must be a number")
};
const trainSchema = object({
	...shared,
	mode: literal("train"),
	RUNNER_TEMP: string().min(1, "is not set"),
	RUNNER_NAME: string().default("unknown")
});
const reportSchema = object({
	...shared,
	mode: literal("report"),
	token: string().min(1, "is empty: the report needs a token with `checks: write`"),
	measurement: string().min(1, "is empty"),
	GITHUB_API_URL: address.default("https://api.github.com")
});
const inputsSchema = discriminatedUnion("mode", [trainSchema, reportSchema], { error: "must be `train` or `report`" });
const inputNames = [
	"mode",
	"trial",
	"commit",
	"base",
	"spec",
	"measurement",
	"token"
];
/** The inputs, or an Error that says in one line per fault what is wrong. */
function parseInputs(environment) {
	const given = Object.fromEntries(inputNames.map((name) => [name, environment[`INPUT_${name.toUpperCase()}`] ?? ""]));
	const set = Object.entries(environment).filter(([, value]) => value !== void 0 && value !== "");
	const parsed = inputsSchema.safeParse({
		...Object.fromEntries(set),
		...given
	});
	if (parsed.success) return parsed.data;
	const faults = parsed.error.issues.map(({ path, message }) => {
		const [name, ...inside] = path.map(String);
		return `${name !== void 0 && inputNames.includes(name) ? "input" : "environment variable"} \`${[name, ...inside].join(".")}\` ${message}`;
	});
	throw new Error(faults.join("; "));
}
/** The page of the run that this is a part of. */
function runUrlOf(inputs) {
	return `${inputs.GITHUB_SERVER_URL}/${inputs.GITHUB_REPOSITORY}/actions/runs/${inputs.GITHUB_RUN_ID}`;
}
function jsonOf$1(text) {
	try {
		return JSON.parse(text);
	} catch {
		return;
	}
}

// src/domain/numbers.ts
/** Numbers as people read them, the same in a check, on a pull request and on the dashboard. */
/** An amount of the metric: four decimals, two significant digits where those say next to nothing. */
function formatAmount(amount) {
	if (amount !== 0 && Math.abs(amount) < .001) return Number(amount.toPrecision(2)).toString();
	return Math.abs(amount) >= 1e3 ? amount.toPrecision(6) : amount.toFixed(4);
}
/** `−0.0012` or `+0.0008`, with a true minus sign. */
function formatDelta(delta) {
	return `${delta > 0 ? "+" : delta < 0 ? "−" : "±"}${formatAmount(Math.abs(delta))}`;
}
/** How long something took: `3.2 s` below a minute, then `5:26`, `1:00:05`. */
function formatClock(seconds) {
	const tenths = Math.round(seconds * 10) / 10;
	if (tenths < 60) return `${tenths} s`;
	const whole = Math.round(seconds);
	const [hours, minutes, rest] = [
		Math.floor(whole / 3600),
		Math.floor(whole / 60) % 60,
		whole % 60
	];
	const two = (part) => String(part).padStart(2, "0");
	return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

// action/src/sparkline.ts
/** A curve as one line of text: the one picture that a check can carry for a private repository. */
const bars = "▁▂▃▄▅▆▇█";
/** At most `width` bars, each the mean of its part of the values, scaled between the least and the greatest mean. */
function sparkline(values, width) {
	const count = Math.min(width, values.length);
	const means = Array.from({ length: count }, (_, index) => {
		const part = values.slice(Math.floor(index * values.length / count), Math.floor((index + 1) * values.length / count));
		return part.reduce((sum, value) => sum + value / part.length, 0);
	});
	const [low, high] = [Math.min(...means), Math.max(...means)];
	const level = (mean) => high > low ? Math.round((mean - low) / (high - low) * 7) : 0;
	return means.map((mean) => bars[Number.isFinite(level(mean)) ? level(mean) : 0]).join("");
}

// action/src/check.ts
/**
* The check that a trial becomes on GitHub: the form of `POST /repos/{owner}/{repo}/check-runs`. Pure.
*
* Always: within the Checks API's limits for every measurement (65 535 for summary and for text, 255 for a title, counted
* in bytes since the documentation does not say what a character is: no other count is larger); the measurement is the
* last thing of the text, whole and exact; what comes from the candidate is shown as code, so it can neither mention
* anyone nor draw a link. The summary names its run: GitHub takes no `details_url` from a job's token.
*/
const limitBytes = 65535;
const titleBytes = 255;
/** GitHub's columns for a place in a file; what is beyond them is refused, and the whole check with it. */
const maxPath = 500;
const maxLine$1 = 2 ** 31 - 1;
/** Names the artifact that the shipped workflow keeps the whole log in. */
const artifact = "log";
const conclusions = {
	measured: "success",
	crash: "failure",
	rejected: "failure",
	unknown: "neutral",
	timeout: "timed_out",
	cancelled: "cancelled"
};
/** @param json the exact text whose digest the run vouches for; @param measurement what it parses to */
function checkOf(json, measurement, told) {
	const { at } = measurement;
	return {
		name: told.metric,
		head_sha: measurement.commit,
		external_id: measurement.trial,
		details_url: told.runUrl,
		status: "completed",
		conclusion: conclusions[measurement.status],
		output: {
			title: titleOf(measurement, told.frontier),
			summary: summaryOf(measurement, told),
			text: textOf$1(json, measurement.logTail),
			annotations: at === null || at.path.length > maxPath || at.line > maxLine$1 ? [] : [annotationOf(at)]
		}
	};
}
/** `0.9793 (−0.0012 against the frontier)`, `crash: …`, `timeout after 10:00`. */
function titleOf(measurement, frontier) {
	if (measurement.status === "measured") {
		const value = formatAmount(measurement.value);
		return frontier === null ? value : `${value} (${differencePhrase(measurement.value, frontier)})`;
	}
	const because = plain$1(measurement.because, 200);
	return cut(measurement.status === "timeout" || measurement.status === "cancelled" ? because || measurement.status : `${measurement.status}: ${because}`, titleBytes);
}
function differencePhrase(value, frontier) {
	return value === frontier ? "equal to the frontier" : `${formatDelta(value - frontier)} against the frontier`;
}
/** The markdown that stands above the log, in the check and on the run's page. */
function summaryOf(measurement, told) {
	const { count, changed } = measurement.protectedFiles;
	const files = changed.length === 0 ? `protected files unchanged (${count} files)` : `**protected files changed**: ${changed.slice(0, 10).map((path) => code(path, 200)).join(", ")}${changed.length > 10 ? ` and ${changed.length - 10} more` : ""}`;
	const facts = [
		`sandbox: ${code(measurement.sandbox, 100)}`,
		files,
		`runner ${code(measurement.runner, 100)}`,
		`trained for ${formatClock(measurement.seconds)}`,
		`[the run](${told.runUrl})`,
		...measurement.logTail === "" ? [] : [`the whole log is the run's artifact \`${artifact}\``]
	];
	return [
		...measurement.status === "measured" ? [] : [`**${measurement.status}** ${code(measurement.because, 1e3)}`, ""],
		...tableOf(measurement, told),
		...curveLines(measurement.curve),
		facts.join(" · ")
	].join("\n");
}
/** The run's page. A title that is no number is in the candidate's words, which are no Markdown. */
function pageOf(title, status, summary) {
	return `### ${status === "measured" ? title : code(title, titleBytes)}\n\n${summary}`;
}
/** The numbers that were printed; the metric itself comes first, with the frontier's value where there is one. */
function tableOf(measurement, { metric, frontier }) {
	const entries = Object.entries(measurement.metrics);
	if (entries.length === 0) return [];
	const isMeasured = measurement.status === "measured" && frontier !== null;
	const rows = entries.slice(0, 40).map(([name, value]) => {
		const compared = isMeasured && name === metric ? `${frontier} | ${value} | ${formatDelta(value - frontier)}` : ` | ${value} | `;
		return isMeasured ? `| ${code(name, 64)} | ${compared} |` : `| ${code(name, 64)} | ${value} |`;
	});
	const head = isMeasured ? ["| metric | frontier | this | Δ |", "| --- | --- | --- | --- |"] : ["| metric | value |", "| --- | --- |"];
	const more = entries.length > 40 ? [`and ${entries.length - 40} more`, ""] : [];
	return [
		...head,
		...rows,
		"",
		...more
	];
}
function curveLines(curve) {
	const [first, last] = [curve[0], curve.at(-1)];
	if (first === void 0 || last === void 0 || curve.length < 2) return [];
	return [`loss \`${sparkline(curve.map(([, loss]) => loss), 60)}\` ${first[1]} at step ${first[0]} → ${last[1]} at step ${last[0]}`, ""];
}
/**
* The end of the log in a fence, then the measurement. The log is shortened from its start until both fit.
* @throws Error when the measurement alone does not fit: it is never shortened, since its digest is what counts.
*/
function textOf$1(json, logTail) {
	const measured = formatMeasurement(json);
	const room = limitBytes - Buffer.byteLength(measured);
	if (room < 0) throw new Error(`the measurement is too large for a check: ${Buffer.byteLength(json)} bytes`);
	const log = withoutControls(logTail).trimEnd();
	for (let shown = log; shown !== "";) {
		const block = `### The end of the log\n\n${fenced(shown)}\n\n`;
		const excess = Buffer.byteLength(block) - room;
		if (excess <= 0) return block + measured;
		shown = shown.slice(Math.max(Math.ceil(excess / 3), 1)).toWellFormed();
	}
	return measured;
}
/** A fence that is longer than any run of backticks in the text. */
function fenced(text) {
	const longest = Math.max(2, ...Array.from(text.matchAll(/`+/g), ([run]) => run.length));
	const fence = "`".repeat(longest + 1);
	return `${fence}text\n${text}\n${fence}`;
}
function annotationOf(at) {
	const message = plain$1(at.message, 4e3) || "it broke here";
	return {
		path: at.path,
		start_line: at.line,
		end_line: at.line,
		annotation_level: "failure",
		message,
		title: cut(plain$1(message, 100), titleBytes)
	};
}
/** A code span in a table cell; it holds what it is given as text, whatever that is. */
function code(text, limit) {
	const shown = plain$1(text, limit).replaceAll("`", "'").replaceAll("|", "¦");
	return shown === "" ? "" : `\`${shown}\``;
}
function plain$1(text, limit) {
	const line = withoutControls(text).replace(/\s+/g, " ").trim();
	return (line.length > limit ? `${line.slice(0, limit - 1)}…` : line).toWellFormed();
}
/** At most so many bytes of a text, whole characters of it. */
function cut(text, bytes) {
	const encoded = Buffer.from(text);
	if (encoded.length <= bytes) return text;
	let end = bytes - Buffer.byteLength("…");
	while ((encoded[end] & 192) === 128) end -= 1;
	return `${encoded.toString("utf8", 0, end)}…`;
}
function withoutControls(text) {
	return text.toWellFormed().replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "");
}

// action/src/job-log.ts
/**
* What people see in the job's log on GitHub.
*
* Always: writing never blocks the process (a blocked write would stop the clock of the trial), and what a candidate
* prints is not read as a command by the runner: its output stands between `::stop-commands::` and a word it can't know, and
* what is said of it afterwards is made plain. The runner knows two forms: `::command::` at the beginning of a line, and
* `##[command]` anywhere in one (ActionCommand.cs of actions/runner).
*/
/** The candidate's output beyond this many bytes, or while the runner is slow to read, is left out of the job's log. */
const maxForeignBytes = 16777216;
const maxWaitingBytes = 4194304;
/** Data of a workflow command, as the runner reads it: one line, percent-encoded where it must be. */
function commandData(text) {
	return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}
/** One line that is no command, whatever stands in it. */
function plain(text) {
	return text.replaceAll(/[\r\n]+/g, " ").replace(/^(?=\s*::)/, "·").replaceAll("##[", "##·[");
}
/** A log on an open file descriptor (1 in the action). */
function openJobLog(fd) {
	const out = openWriter(fd);
	const line = (text) => out.write(Buffer.from(`${text}\n`));
	return {
		say: (text) => line(plain(text)),
		beginGroup: (title) => line(`::group::${commandData(title)}`),
		endGroup: () => line("::endgroup::"),
		mask: (value) => line(`::add-mask::${commandData(value)}`),
		error: (message) => line(`::error::${commandData(message)}`),
		notice: (message) => line(`::notice::${commandData(message)}`),
		beginForeign: () => foreignPart(out),
		flush: out.flush
	};
}
function foreignPart(out) {
	const word = randomUUID();
	let left = maxForeignBytes;
	let dropped = 0;
	let lastByte = 10;
	out.write(Buffer.from(`::stop-commands::${word}\n`));
	return {
		write: (chunk) => {
			if (left < chunk.length || out.waiting() > maxWaitingBytes) {
				dropped += chunk.length;
				return;
			}
			left -= chunk.length;
			lastByte = chunk.at(-1) ?? lastByte;
			out.write(chunk);
		},
		end: () => {
			const note = dropped > 0 ? `[… ${dropped} bytes of output are not shown here …]\n` : "";
			out.write(Buffer.from(`${lastByte === 10 ? "" : "\n"}${note}::${word}::\n`));
		}
	};
}
/** Writes in order, one write at a time, without blocking. When the reader is gone (EPIPE) what is left is dropped. */
function openWriter(fd) {
	let queue = [];
	let queued = 0;
	let busy = false;
	let broken = false;
	let idle = [];
	const next = () => {
		if (queue.length === 0 || broken) {
			busy = false;
			queue = [];
			queued = 0;
			for (const resolve of idle.splice(0)) resolve();
			return;
		}
		busy = true;
		const bytes = Buffer.concat(queue);
		queue = [];
		put(bytes, 0);
	};
	const put = (bytes, offset) => {
		write(fd, bytes, offset, bytes.length - offset, null, (error, written) => {
			if (error?.code === "EAGAIN") {
				setTimeout(() => put(bytes, offset), 10);
				return;
			}
			if (error !== null) {
				broken = true;
				return next();
			}
			queued -= written;
			if (offset + written < bytes.length) put(bytes, offset + written);
			else next();
		});
	};
	return {
		write: (bytes) => {
			if (broken) return;
			queue.push(bytes);
			queued += bytes.length;
			if (!busy) next();
		},
		waiting: () => queued,
		flush: async () => {
			if (busy) await new Promise((resolve) => idle.push(resolve));
		}
	};
}

// action/src/report.ts
/**
* Mode `report`: posts the check for a measurement that another job made.
*
* Always: the measurement is untrusted text; it must be of the trial and the commit that this run was dispatched for.
* An unknown outcome (no answer, or a 5xx) is never repeated blindly: first it is looked for by its `external_id`.
*/
/** Waits between attempts, in milliseconds; the last may be replaced by what GitHub asks for. */
const pausesMs = [
	500,
	1e3,
	2e3
];
const maxPauseMs = 6e4;
const requestTimeoutMs = 3e4;
/** Posts the check. @throws Error with a sentence when the measurement is not one, or GitHub refuses. */
async function report(inputs, say) {
	const measurement = requestedMeasurement(inputs);
	const { status } = measurement;
	const check = requestedCheck(inputs, measurement);
	for (let attempt = 0;; attempt++) {
		const outcome = attempt === 0 ? null : await findCheck(inputs, check);
		if (outcome?.kind === "done") return {
			check,
			status,
			url: outcome.url
		};
		const answer = outcome ?? await post(inputs, check);
		if (answer.kind === "done") return {
			check,
			status,
			url: answer.url
		};
		if (answer.kind === "refused" || attempt >= pausesMs.length) throw new Error(answer.because);
		say(`${answer.because}; looking again`);
		await new Promise((resolve) => setTimeout(resolve, Math.min(answer.afterMs ?? pausesMs[attempt], maxPauseMs)));
	}
}
function requestedMeasurement(inputs) {
	const measurement = parseMeasurement(inputs.measurement);
	if (measurement === null) throw new Error("input `measurement` is not a measurement: nothing is reported");
	for (const name of [
		"trial",
		"commit",
		"base"
	]) if (measurement[name] !== inputs[name]) throw new Error(`the measurement is of ${name} ${measurement[name]}, and this run is for ${inputs[name]}: nothing is reported`);
	return measurement;
}
function requestedCheck(inputs, measurement) {
	return checkOf(inputs.measurement, measurement, {
		metric: inputs.spec.metric,
		frontier: inputs.spec.frontier,
		runUrl: runUrlOf(inputs)
	});
}
async function post(inputs, check) {
	const answer = await request(inputs, "POST", `/repos/${inputs.GITHUB_REPOSITORY}/check-runs`, check);
	if (answer.kind !== "answered") return answer;
	return {
		kind: "done",
		url: createdSchema.safeParse(answer.body).data?.html_url ?? ""
	};
}
/** Done: it is there. Null: it is surely not there, so posting it is safe. */
async function findCheck(inputs, check) {
	const query = new URLSearchParams({
		check_name: check.name,
		filter: "all",
		per_page: "100"
	});
	const answer = await request(inputs, "GET", `/repos/${inputs.GITHUB_REPOSITORY}/commits/${check.head_sha}/check-runs?${query.toString()}`);
	if (answer.kind !== "answered") return answer;
	const parsed = listSchema.safeParse(answer.body);
	if (!parsed.success) return {
		kind: "unknown",
		because: "GitHub's list of checks could not be read",
		afterMs: null
	};
	const digest = digestOf(inputs.measurement);
	const found = parsed.data.check_runs.find((run) => run.external_id === check.external_id && digestOf(measurementJsonOf(run.output.text ?? "") ?? "") === digest);
	return found === void 0 ? null : {
		kind: "done",
		url: found.html_url ?? ""
	};
}
const createdSchema = object({ html_url: string().nullish() });
const listSchema = object({ check_runs: array(object({
	external_id: string().nullish(),
	html_url: string().nullish(),
	output: object({ text: string().nullish() })
})) });
async function request(inputs, method, path, body) {
	const what = `${method} ${path.split("?")[0]}`;
	try {
		const response = await fetch(`${inputs.GITHUB_API_URL}${path}`, {
			method,
			headers: {
				accept: "application/vnd.github+json",
				"content-type": "application/json",
				"x-github-api-version": "2022-11-28",
				"user-agent": "autoresearch-app-action",
				authorization: `Bearer ${inputs.token}`
			},
			...body === void 0 ? {} : { body: JSON.stringify(body) },
			signal: AbortSignal.timeout(requestTimeoutMs)
		});
		const text = await response.text();
		if (response.ok) return {
			kind: "answered",
			body: jsonOf(text)
		};
		const because = `GitHub answered ${response.status} to ${what}: ${text.slice(0, 500)}`;
		const afterMs = pauseAsked(response);
		return response.status >= 500 || response.status === 429 || afterMs !== null ? {
			kind: "unknown",
			because,
			afterMs
		} : {
			kind: "refused",
			because
		};
	} catch (error) {
		return {
			kind: "unknown",
			because: `no answer to ${what}: ${reasonOf(error)}`,
			afterMs: null
		};
	}
}
/** Milliseconds that GitHub asks us to wait, or null. */
function pauseAsked(response) {
	const seconds = Number(response.headers.get("retry-after") ?? NaN);
	return Number.isFinite(seconds) ? seconds * 1e3 : null;
}
function reasonOf(error) {
	if (!(error instanceof Error)) return String(error);
	return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}
function jsonOf(text) {
	try {
		return JSON.parse(text);
	} catch {
		return null;
	}
}

// action/src/candidate-env.ts
/**
* The environment of the code under trial: what is named here, and nothing else. No GITHUB_*, RUNNER_*, ACTIONS_* or
* INPUT_* reaches it (tokens and the files that the runner reads back are among them), and nothing whose name says that
* it is a secret.
*/
const names = /* @__PURE__ */ new Set([
	"PATH",
	"HOME",
	"USER",
	"LOGNAME",
	"LANG",
	"TERM",
	"TMPDIR",
	"TZ",
	"LD_LIBRARY_PATH",
	"XDG_CACHE_HOME",
	"PYTHONUNBUFFERED"
]);
const prefixes = [
	"CUDA_",
	"NVIDIA_",
	"LC_",
	"HF_",
	"UV_"
];
const secretWords = /TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|(?:^|_)(?:API_?)?KEY(?:_|$)|_AUTH/;
/** In the sandbox there is no network: who would ask it for something is told at once, not after a time-out. */
const offline = {
	HF_HUB_OFFLINE: "1",
	UV_OFFLINE: "1",
	UV_NO_SYNC: "1",
	UV_CACHE_DIR: "/tmp/uv-cache",
	TMPDIR: "/tmp"
};
/** The allowed part of `own`, and what the command may know of its trial. */
function candidateEnv(own, trial) {
	const kept = Object.entries(own).filter((entry) => entry[1] !== void 0 && isAllowed(entry[0]) && !carriesCredentials(entry[1]));
	return {
		...Object.fromEntries(kept),
		HOME: trial.home,
		...trial.isolates ? offline : { TMPDIR: trial.temp },
		PYTHONUNBUFFERED: "1",
		AUTORESEARCH_BUDGET_SECONDS: String(trial.budgetSeconds),
		AUTORESEARCH_TRIAL: trial.id,
		AUTORESEARCH_MARK: trial.mark
	};
}
const runnersOwn = /^(?:INPUT|GITHUB|ACTIONS|RUNNER)_/;
/** The environment of `trial.setup`, which the base's files alone decide: all of `own` but what is the runner's. */
function setupEnv(own) {
	return Object.fromEntries(Object.entries(own).filter((entry) => entry[1] !== void 0 && !runnersOwn.test(entry[0])));
}
/** The values in `own` that are secret by their names, to be hidden wherever they turn up. */
function secretValues(own) {
	return Object.entries(own).flatMap(([name, value]) => value !== void 0 && value.length >= 8 && secretWords.test(name) ? [value] : []);
}
function isAllowed(name) {
	if (names.has(name)) return true;
	return prefixes.some((prefix) => name.startsWith(prefix)) && !secretWords.test(name);
}
/** `UV_INDEX_URL=https://name:password@host/` holds a secret under an innocent name. */
function carriesCredentials(value) {
	return /:\/\/[^/\s@]+@/.test(value);
}

// action/src/git.ts
/**
* git, for one fetch. Always: the token is in the environment of the git process alone, never on a command line, in a
* URL or in a file; and no configuration of the machine or its user takes part (a filter or hook there would run on what
* a candidate wrote).
*/
const inherited = [
	"PATH",
	"HOME",
	"TMPDIR",
	"GIT_SSL_CAINFO",
	"GIT_SSL_CAPATH",
	"SSL_CERT_FILE",
	"SSL_CERT_DIR"
];
const proxies = [
	"http_proxy",
	"https_proxy",
	"no_proxy",
	"all_proxy"
].flatMap((name) => [name, name.toUpperCase()]);
/** What the Authorization header holds; it is as secret as the token. */
function basicCredentials(token) {
	return Buffer.from(`x-access-token:${token}`).toString("base64");
}
function environmentOf(options) {
	const config = [
		["core.hooksPath", "/dev/null"],
		["core.symlinks", "true"],
		["protocol.ext.allow", "never"],
		["gc.auto", "0"],
		["advice.detachedHead", "false"]
	];
	if (options.token !== "") config.push([`http.${options.serverUrl}/.extraheader`, `Authorization: basic ${basicCredentials(options.token)}`]);
	const kept = [...inherited, ...proxies].flatMap((name) => {
		const value = process.env[name];
		return value === void 0 ? [] : [[name, value]];
	});
	return {
		...Object.fromEntries(kept),
		GIT_DIR: options.gitDir,
		GIT_WORK_TREE: options.workTree,
		GIT_CONFIG_NOSYSTEM: "1",
		GIT_CONFIG_GLOBAL: "/dev/null",
		GIT_TERMINAL_PROMPT: "0",
		GIT_CONFIG_COUNT: String(config.length),
		...Object.fromEntries(config.flatMap(([key, value], index) => [[`GIT_CONFIG_KEY_${index}`, key], [`GIT_CONFIG_VALUE_${index}`, value]]))
	};
}
/** A git that works on one git folder and one work tree. */
function gitAt(options) {
	const env = environmentOf(options);
	return { run: async (args, stdin = "") => runGit(args, stdin, env, options) };
}
async function runGit(args, stdin, env, { signal, workTree }) {
	const child = spawn("git", args, {
		env,
		cwd: workTree,
		stdio: [
			"pipe",
			"pipe",
			"pipe"
		],
		signal,
		killSignal: "SIGKILL"
	});
	const out = [];
	const errors = [];
	child.stdout.on("data", (chunk) => out.push(chunk));
	child.stderr.on("data", (chunk) => errors.push(chunk));
	child.stdin.on("error", () => {});
	child.stdin.end(stdin);
	const status = await new Promise((resolve, reject) => {
		child.on("error", reject);
		child.on("close", resolve);
	});
	if (status === 0) return Buffer.concat(out).toString();
	const said = Buffer.concat(errors).toString().trim().split("\n").slice(-3).join(" ");
	throw new Error(`git ${args[0]} failed (exit status ${status}): ${said}`);
}

// action/src/machine.ts
/**
* What a command in the sandbox sees of the machine: an allow-list. What is not named here is not there: homes, the
* runner's folders and credentials, sockets of the system (`/run`), other people's data.
*
* Always: everything here is read-only inside, but devices; a folder that holds a home or the runner is never shown whole.
*/
/** Of Nix the store alone: beside it lies the socket of a daemon, which a read-only bind keeps nobody from. */
const systemRoots = [
	"/usr",
	"/etc",
	"/opt",
	"/nix/store",
	"/gnu/store",
	"/run/opengl-driver",
	"/run/current-system"
];
/** Below a home: no credentials lie in these (but for `secretInCaches`). */
const shownInHome = [
	".cache/autoresearch",
	".cache/huggingface",
	".cache/torch",
	".cache/uv",
	".local/bin",
	".local/lib",
	".local/share/uv/python",
	".local/share/uv/tools",
	".pyenv",
	".rustup",
	"miniconda3",
	"miniforge3",
	"mambaforge",
	"anaconda3",
	".conda/envs",
	".conda/pkgs"
];
const cacheVariables = [
	"HF_HOME",
	"HF_HUB_CACHE",
	"HF_DATASETS_CACHE",
	"UV_CACHE_DIR",
	"UV_PYTHON_INSTALL_DIR",
	"TORCH_HOME"
];
const secretInCaches = ["token", "stored_tokens"];
/** Of a program's own folder in a home, `~/.docker` say, what its programs need: settings and tokens lie beside that. */
const toolchainParts = /^(?:bin|sbin|shims|condabin|lib.*|share|include|installs|plugins|versions?)$/;
const systemSecrets = {
	files: [
		"shadow",
		"shadow-",
		"gshadow",
		"gshadow-",
		"krb5.keytab"
	].map((name) => join("/etc", name)),
	folders: [
		"/etc/ssh",
		"/etc/ssl/private",
		"/etc/sudoers.d"
	]
};
/**
* @param folder the trial's own folder, inside the runner's temporary one
* @param named paths outside the checkout that the trial names (`trial.protect`): they are shown
*/
function readMachine(own, folder, named, emptyFile) {
	const path = own["PATH"] ?? "/usr/local/bin:/usr/bin:/bin";
	const home = homeOf(own);
	const runner = runnerFolders(own);
	const homes = [home, ...accountHome()];
	const narrow = [
		...homes,
		folder,
		...runner
	];
	const isWide = (entry) => narrow.some((inside) => holds(entry, inside) || reaches(entry, inside));
	const caches = cacheVariables.flatMap((name) => own[name] ?? []);
	const xdg = own["XDG_CACHE_HOME"];
	const shown = [
		...shownInHome.map((name) => join(home, name)),
		...xdg === void 0 ? [] : [
			"autoresearch",
			"huggingface",
			"torch",
			"uv"
		].map((name) => join(xdg, name)),
		...caches,
		...path.split(delimiter).flatMap((entry) => toolchainOf(entry, homes, isWide)),
		own["RUNNER_TOOL_CACHE"] ?? "",
		...named
	].filter((entry) => isPlainPath(entry) && existsSync(entry) && !isWide(entry));
	const hubs = [...shown.filter((entry) => basename(entry) === "huggingface"), own["HF_HOME"] ?? ""];
	return {
		path,
		home,
		system: systemRoots.filter((root) => existsSync(root)),
		shown: outermost([...new Set(shown)]),
		hiddenFolders: outermost([.../* @__PURE__ */ new Set([
			...runner,
			...otherRunners("/opt"),
			...otherRunners("/usr/local"),
			...systemSecrets.folders
		])]).filter((entry) => existsSync(entry)),
		hiddenFiles: [
			...systemSecrets.files,
			...hubs.flatMap((hub) => secretInCaches.map((name) => join(hub, name))),
			own["HF_TOKEN_PATH"] ?? ""
		].filter((file) => isPlainPath(file) && existsSync(file)),
		devices: devicesOf(existsSync("/dev") ? readdirSync("/dev") : []),
		emptyFile
	};
}
/** The home that the job was given: what `~` in the trial's paths stands for. */
function homeOf(own) {
	const told = own["HOME"] ?? homedir();
	return isPlainPath(told) ? told : "/tmp/home";
}
/** The home of the user's account, which may be another; a container's user may have none. */
function accountHome() {
	try {
		return [userInfo().homedir].filter(isPlainPath);
	} catch {
		return [];
	}
}
/** `/a` holds `/a` and `/a/b`. */
function holds(outer, inner) {
	return inner === outer || inner.startsWith(outer === "/" ? "/" : `${outer}/`);
}
function isPlainPath(path) {
	return path.startsWith("/") && path !== "/" && !path.split("/").includes("..");
}
/** Drops what lies in another entry. */
function outermost(paths) {
	return paths.filter((path) => !paths.some((other) => other !== path && holds(other, path)));
}
/** As `holds`, of where the two really are: a link may lead to what it must not show. */
function reaches(outer, inner) {
	return holds(realOf(outer), realOf(inner));
}
/** Without links in it; as it is where it is not there. */
function realOf(path) {
	try {
		return realpathSync(path);
	} catch {
		return path;
	}
}
/**
* Of `X/bin` on the search path all of X (its libraries lie beside it), unless X holds more than a toolchain: below a
* folder of the home that begins with a dot only X's programs and libraries, if it is no Python environment.
*/
function toolchainOf(entry, homes, isWide) {
	const parent = dirname(entry);
	if (![
		"bin",
		"shims",
		"condabin"
	].includes(basename(entry))) return [entry];
	if (parent === "/" || [".local", ".cargo"].includes(basename(parent)) || isWide(parent)) return [entry];
	if (!homes.some((home) => [parent, realOf(parent)].some((name) => isBelowDotFolder(home, name))) || ["pyvenv.cfg", "conda-meta"].some((name) => existsSync(join(parent, name)))) return [parent];
	return namesIn(parent).filter((name) => toolchainParts.test(name)).map((name) => join(parent, name));
}
function isBelowDotFolder(home, path) {
	return [home, realOf(home)].some((name) => path.startsWith(`${name}/.`));
}
function namesIn(folder) {
	try {
		return readdirSync(folder);
	} catch {
		return [];
	}
}
/** Where the runner lives and works, as its environment and its own node tell: `_work` holds what other jobs left. */
function runnerFolders(own) {
	const temp = own["RUNNER_TEMP"];
	const work = temp !== void 0 && basename(temp) === "_temp" ? dirname(temp) : null;
	const externals = process.execPath.indexOf("/externals/");
	return [
		...work === null ? [] : [work],
		...work !== null && existsSync(join(dirname(work), ".runner")) ? [dirname(work)] : [],
		...externals > 0 ? [process.execPath.slice(0, externals)] : []
	].filter((folder) => folder !== "/" && existsSync(folder)).map((folder) => realpathSync(folder));
}
/** Of the folders at most three levels below this one those that hold the credentials of a runner. */
function otherRunners(folder, levels = 3) {
	if (levels === 0) return [];
	return namesIn(folder).flatMap((name) => {
		const inside = join(folder, name);
		return existsSync(join(inside, ".credentials")) ? [inside] : otherRunners(inside, levels - 1);
	});
}
/** GPUs, by what is in `/dev`: NVIDIA's, AMD's, Direct Rendering, and those of WSL. */
function devicesOf(names) {
	return names.filter((name) => /^nvidia|^(?:dri|kfd|dxg)$/.test(name)).map((name) => join("/dev", name));
}

// action/src/made-things.ts
/**
* What the set-up made and the evaluation moves: after the training it must still be what it was, at its own place.
*
* Always: nothing is moved out of a folder that the candidate put a link in the place of, and nothing is moved that is not
* the set-up's own.
*/
/**
* Which file or folder stands at each path below the root: its device, its number and when it was made (another in its
* place may be given its number). Of a link, which is read-only in no sandbox, its target's name. Through a link there is nothing.
*/
async function identitiesOf(root, paths) {
	const identities = /* @__PURE__ */ new Map();
	for (const path of paths) identities.set(path, await identityOf(root, path));
	return identities;
}
async function identityOf(root, path) {
	for (const folder of wayTo(root, path)) if ((await lstat(folder).catch(() => null))?.isDirectory() !== true) return "gone";
	const status = await lstat(join(root, path), { bigint: true }).catch(() => null);
	if (status?.isSymbolicLink()) return `link ${await readlink(join(root, path)).catch(() => "gone")}`;
	return status === null ? "gone" : `${status.dev}:${status.ino} of ${status.birthtimeNs}`;
}
/** `a` and `a/b` of `a/b/c`. */
function foldersAbove(path) {
	const above = dirname(path);
	return above === "." ? [] : [...foldersAbove(above), above];
}
/** The root, and what leads from there to the path. */
function wayTo(root, path) {
	return [root, ...foldersAbove(path).map((folder) => join(root, folder))];
}
/** Takes back what the candidate did to the modes of the folders that paths are moved out of, and of those paths. */
async function openForMoving(root, paths) {
	for (const path of paths) for (const folder of [...wayTo(root, path), join(root, path)]) await openFolder(folder);
}
async function openFolder(folder) {
	const status = await lstat(folder).catch(() => null);
	if (status?.isDirectory() !== true) return false;
	if ((status.mode & 448) !== 448) await chmod(folder, status.mode | 448).catch(() => {});
	return true;
}
/** Removes a folder with all that is in it, also where the candidate closed folders of it. @throws where it can't be */
async function removeAll(folder) {
	const remove = async () => rm(folder, {
		recursive: true,
		force: true,
		maxRetries: 3
	});
	try {
		await remove();
	} catch {
		await openAll(folder);
		await remove();
	}
}
async function openAll(top) {
	const waiting = [top];
	for (let folder = waiting.pop(); folder !== void 0; folder = waiting.pop()) {
		if (!await openFolder(folder)) continue;
		const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
		for (const entry of entries) if (entry.isDirectory()) waiting.push(join(folder, entry.name));
	}
}

// node_modules/picomatch/lib/constants.js
var require_constants = /* @__PURE__ */ __commonJSMin(((exports, module) => {
	const WIN_SLASH = "\\\\/";
	const WIN_NO_SLASH = `[^${WIN_SLASH}]`;
	const DEFAULT_MAX_EXTGLOB_RECURSION = 0;
	/**
	* Posix glob regex
	*/
	const DOT_LITERAL = "\\.";
	const PLUS_LITERAL = "\\+";
	const QMARK_LITERAL = "\\?";
	const SLASH_LITERAL = "\\/";
	const ONE_CHAR = "(?=.)";
	const QMARK = "[^/]";
	const END_ANCHOR = `(?:${SLASH_LITERAL}|$)`;
	const START_ANCHOR = `(?:^|${SLASH_LITERAL})`;
	const DOTS_SLASH = `${DOT_LITERAL}{1,2}${END_ANCHOR}`;
	const POSIX_CHARS = {
		DOT_LITERAL,
		PLUS_LITERAL,
		QMARK_LITERAL,
		SLASH_LITERAL,
		ONE_CHAR,
		QMARK,
		END_ANCHOR,
		DOTS_SLASH,
		NO_DOT: `(?!${DOT_LITERAL})`,
		NO_DOTS: `(?!${START_ANCHOR}${DOTS_SLASH})`,
		NO_DOT_SLASH: `(?!${DOT_LITERAL}{0,1}${END_ANCHOR})`,
		NO_DOTS_SLASH: `(?!${DOTS_SLASH})`,
		QMARK_NO_DOT: `[^.${SLASH_LITERAL}]`,
		STAR: `${QMARK}*?`,
		START_ANCHOR,
		SEP: "/"
	};
	/**
	* Windows glob regex
	*/
	const WINDOWS_CHARS = {
		...POSIX_CHARS,
		SLASH_LITERAL: `[${WIN_SLASH}]`,
		QMARK: WIN_NO_SLASH,
		STAR: `${WIN_NO_SLASH}*?`,
		DOTS_SLASH: `${DOT_LITERAL}{1,2}(?:[${WIN_SLASH}]|$)`,
		NO_DOT: `(?!${DOT_LITERAL})`,
		NO_DOTS: `(?!(?:^|[${WIN_SLASH}])${DOT_LITERAL}{1,2}(?:[${WIN_SLASH}]|$))`,
		NO_DOT_SLASH: `(?!${DOT_LITERAL}{0,1}(?:[${WIN_SLASH}]|$))`,
		NO_DOTS_SLASH: `(?!${DOT_LITERAL}{1,2}(?:[${WIN_SLASH}]|$))`,
		QMARK_NO_DOT: `[^.${WIN_SLASH}]`,
		START_ANCHOR: `(?:^|[${WIN_SLASH}])`,
		END_ANCHOR: `(?:[${WIN_SLASH}]|$)`,
		SEP: "\\"
	};
	/**
	* POSIX Bracket Regex
	*/
	const POSIX_REGEX_SOURCE = {
		__proto__: null,
		alnum: "a-zA-Z0-9",
		alpha: "a-zA-Z",
		ascii: "\\x00-\\x7F",
		blank: " \\t",
		cntrl: "\\x00-\\x1F\\x7F",
		digit: "0-9",
		graph: "\\x21-\\x7E",
		lower: "a-z",
		print: "\\x20-\\x7E ",
		punct: "\\-!\"#$%&'()\\*+,./:;<=>?@[\\]^_`{|}~",
		space: " \\t\\r\\n\\v\\f",
		upper: "A-Z",
		word: "A-Za-z0-9_",
		xdigit: "A-Fa-f0-9"
	};
	module.exports = {
		DEFAULT_MAX_EXTGLOB_RECURSION,
		MAX_LENGTH: 65536,
		POSIX_REGEX_SOURCE,
		REGEX_BACKSLASH: /\\(?![*+?^${}(|)[\]])/g,
		REGEX_NON_SPECIAL_CHARS: /^[^@![\].,$*+?^{}()|\\/]+/,
		REGEX_SPECIAL_CHARS: /[-*+?.^${}(|)[\]]/,
		REGEX_SPECIAL_CHARS_BACKREF: /(\\?)((\W)(\3*))/g,
		REGEX_SPECIAL_CHARS_GLOBAL: /([-*+?.^${}(|)[\]])/g,
		REGEX_REMOVE_BACKSLASH: /(?:\[.*?[^\\]\]|\\(?=.))/g,
		REPLACEMENTS: {
			__proto__: null,
			"***": "*",
			"**/**": "**",
			"**/**/**": "**"
		},
		CHAR_0: 48,
		CHAR_9: 57,
		CHAR_UPPERCASE_A: 65,
		CHAR_LOWERCASE_A: 97,
		CHAR_UPPERCASE_Z: 90,
		CHAR_LOWERCASE_Z: 122,
		CHAR_LEFT_PARENTHESES: 40,
		CHAR_RIGHT_PARENTHESES: 41,
		CHAR_ASTERISK: 42,
		CHAR_AMPERSAND: 38,
		CHAR_AT: 64,
		CHAR_BACKWARD_SLASH: 92,
		CHAR_CARRIAGE_RETURN: 13,
		CHAR_CIRCUMFLEX_ACCENT: 94,
		CHAR_COLON: 58,
		CHAR_COMMA: 44,
		CHAR_DOT: 46,
		CHAR_DOUBLE_QUOTE: 34,
		CHAR_EQUAL: 61,
		CHAR_EXCLAMATION_MARK: 33,
		CHAR_FORM_FEED: 12,
		CHAR_FORWARD_SLASH: 47,
		CHAR_GRAVE_ACCENT: 96,
		CHAR_HASH: 35,
		CHAR_HYPHEN_MINUS: 45,
		CHAR_LEFT_ANGLE_BRACKET: 60,
		CHAR_LEFT_CURLY_BRACE: 123,
		CHAR_LEFT_SQUARE_BRACKET: 91,
		CHAR_LINE_FEED: 10,
		CHAR_NO_BREAK_SPACE: 160,
		CHAR_PERCENT: 37,
		CHAR_PLUS: 43,
		CHAR_QUESTION_MARK: 63,
		CHAR_RIGHT_ANGLE_BRACKET: 62,
		CHAR_RIGHT_CURLY_BRACE: 125,
		CHAR_RIGHT_SQUARE_BRACKET: 93,
		CHAR_SEMICOLON: 59,
		CHAR_SINGLE_QUOTE: 39,
		CHAR_SPACE: 32,
		CHAR_TAB: 9,
		CHAR_UNDERSCORE: 95,
		CHAR_VERTICAL_LINE: 124,
		CHAR_ZERO_WIDTH_NOBREAK_SPACE: 65279,
		/**
		* Create EXTGLOB_CHARS
		*/
		extglobChars(chars) {
			return {
				"!": {
					type: "negate",
					open: "(?:(?!(?:",
					close: `))${chars.STAR})`
				},
				"?": {
					type: "qmark",
					open: "(?:",
					close: ")?"
				},
				"+": {
					type: "plus",
					open: "(?:",
					close: ")+"
				},
				"*": {
					type: "star",
					open: "(?:",
					close: ")*"
				},
				"@": {
					type: "at",
					open: "(?:",
					close: ")"
				}
			};
		},
		/**
		* Create GLOB_CHARS
		*/
		globChars(win32) {
			return win32 === true ? WINDOWS_CHARS : POSIX_CHARS;
		}
	};
}));

// node_modules/picomatch/lib/utils.js
var require_utils = /* @__PURE__ */ __commonJSMin(((exports) => {
	const { REGEX_BACKSLASH, REGEX_REMOVE_BACKSLASH, REGEX_SPECIAL_CHARS, REGEX_SPECIAL_CHARS_GLOBAL } = require_constants();
	exports.isObject = (val) => val !== null && typeof val === "object" && !Array.isArray(val);
	exports.hasRegexChars = (str) => REGEX_SPECIAL_CHARS.test(str);
	exports.isRegexChar = (str) => str.length === 1 && exports.hasRegexChars(str);
	exports.escapeRegex = (str) => str.replace(REGEX_SPECIAL_CHARS_GLOBAL, "\\$1");
	exports.toPosixSlashes = (str) => str.replace(REGEX_BACKSLASH, "/");
	exports.isWindows = () => {
		if (typeof navigator !== "undefined" && navigator.platform) {
			const platform = navigator.platform.toLowerCase();
			return platform === "win32" || platform === "windows";
		}
		if (typeof process !== "undefined" && process.platform) return process.platform === "win32";
		return false;
	};
	exports.removeBackslashes = (str) => {
		return str.replace(REGEX_REMOVE_BACKSLASH, (match) => {
			return match === "\\" ? "" : match;
		});
	};
	exports.escapeLast = (input, char, lastIdx) => {
		const idx = input.lastIndexOf(char, lastIdx);
		if (idx === -1) return input;
		if (input[idx - 1] === "\\") return exports.escapeLast(input, char, idx - 1);
		return `${input.slice(0, idx)}\\${input.slice(idx)}`;
	};
	exports.removePrefix = (input, state = {}) => {
		let output = input;
		if (output.startsWith("./")) {
			output = output.slice(2);
			state.prefix = "./";
		}
		return output;
	};
	exports.wrapOutput = (input, state = {}, options = {}) => {
		let output = `${options.contains ? "" : "^"}(?:${input})${options.contains ? "" : "$"}`;
		if (state.negated === true) output = `(?:^(?!${output}).*$)`;
		return output;
	};
	exports.basename = (path, { windows } = {}) => {
		const segs = path.split(windows ? /[\\/]/ : "/");
		const last = segs[segs.length - 1];
		if (last === "") return segs[segs.length - 2];
		return last;
	};
}));

// node_modules/picomatch/lib/scan.js
var require_scan = /* @__PURE__ */ __commonJSMin(((exports, module) => {
	const utils = require_utils();
	const { CHAR_ASTERISK, CHAR_AT, CHAR_BACKWARD_SLASH, CHAR_COMMA, CHAR_DOT, CHAR_EXCLAMATION_MARK, CHAR_FORWARD_SLASH, CHAR_LEFT_CURLY_BRACE, CHAR_LEFT_PARENTHESES, CHAR_LEFT_SQUARE_BRACKET, CHAR_PLUS, CHAR_QUESTION_MARK, CHAR_RIGHT_CURLY_BRACE, CHAR_RIGHT_PARENTHESES, CHAR_RIGHT_SQUARE_BRACKET } = require_constants();
	const isPathSeparator = (code) => {
		return code === CHAR_FORWARD_SLASH || code === CHAR_BACKWARD_SLASH;
	};
	const depth = (token) => {
		if (token.isPrefix !== true) token.depth = token.isGlobstar ? Infinity : 1;
	};
	/**
	* Quickly scans a glob pattern and returns an object with a handful of
	* useful properties, like `isGlob`, `path` (the leading non-glob, if it exists),
	* `glob` (the actual pattern), `negated` (true if the path starts with `!` but not
	* with `!(`) and `negatedExtglob` (true if the path starts with `!(`).
	*
	* ```js
	* const pm = require('picomatch');
	* console.log(pm.scan('foo/bar/*.js'));
	* { isGlob: true, input: 'foo/bar/*.js', base: 'foo/bar', glob: '*.js' }
	* ```
	* @param {String} `str`
	* @param {Object} `options`
	* @return {Object} Returns an object with tokens and regex source string.
	* @api public
	*/
	const scan = (input, options) => {
		const opts = options || {};
		const length = input.length - 1;
		const scanToEnd = opts.parts === true || opts.tokens === true || opts.scanToEnd === true;
		const slashes = [];
		const tokens = [];
		const parts = [];
		let str = input;
		let index = -1;
		let start = 0;
		let lastIndex = 0;
		let isBrace = false;
		let isBracket = false;
		let isGlob = false;
		let isExtglob = false;
		let isGlobstar = false;
		let braceEscaped = false;
		let backslashes = false;
		let negated = false;
		let negatedExtglob = false;
		let finished = false;
		let braces = 0;
		let prev;
		let code;
		let token = {
			value: "",
			depth: 0,
			isGlob: false
		};
		const eos = () => index >= length;
		const peek = () => str.charCodeAt(index + 1);
		const advance = () => {
			prev = code;
			return str.charCodeAt(++index);
		};
		while (index < length) {
			code = advance();
			let next;
			if (code === CHAR_BACKWARD_SLASH) {
				backslashes = token.backslashes = true;
				code = advance();
				if (code === CHAR_LEFT_CURLY_BRACE) braceEscaped = true;
				continue;
			}
			if (braceEscaped === true || code === CHAR_LEFT_CURLY_BRACE) {
				braces++;
				while (eos() !== true && (code = advance())) {
					if (code === CHAR_BACKWARD_SLASH) {
						backslashes = token.backslashes = true;
						advance();
						continue;
					}
					if (code === CHAR_LEFT_CURLY_BRACE) {
						braces++;
						continue;
					}
					if (braceEscaped !== true && code === CHAR_DOT && (code = advance()) === CHAR_DOT) {
						isBrace = token.isBrace = true;
						isGlob = token.isGlob = true;
						finished = true;
						if (scanToEnd === true) continue;
						break;
					}
					if (braceEscaped !== true && code === CHAR_COMMA) {
						isBrace = token.isBrace = true;
						isGlob = token.isGlob = true;
						finished = true;
						if (scanToEnd === true) continue;
						break;
					}
					if (code === CHAR_RIGHT_CURLY_BRACE) {
						braces--;
						if (braces === 0) {
							braceEscaped = false;
							isBrace = token.isBrace = true;
							finished = true;
							break;
						}
					}
				}
				if (scanToEnd === true) continue;
				break;
			}
			if (code === CHAR_FORWARD_SLASH) {
				slashes.push(index);
				tokens.push(token);
				token = {
					value: "",
					depth: 0,
					isGlob: false
				};
				if (finished === true) continue;
				if (prev === CHAR_DOT && index === start + 1) {
					start += 2;
					continue;
				}
				lastIndex = index + 1;
				continue;
			}
			if (opts.noext !== true) {
				if ((code === CHAR_PLUS || code === CHAR_AT || code === CHAR_ASTERISK || code === CHAR_QUESTION_MARK || code === CHAR_EXCLAMATION_MARK) === true && peek() === CHAR_LEFT_PARENTHESES) {
					isGlob = token.isGlob = true;
					isExtglob = token.isExtglob = true;
					finished = true;
					if (code === CHAR_EXCLAMATION_MARK && index === start) negatedExtglob = true;
					if (scanToEnd === true) {
						let parens = 0;
						while (eos() !== true && (code = advance())) {
							if (code === CHAR_BACKWARD_SLASH) {
								backslashes = token.backslashes = true;
								advance();
								continue;
							}
							if (code === CHAR_LEFT_PARENTHESES) {
								parens++;
								continue;
							}
							if (code === CHAR_RIGHT_PARENTHESES && --parens === 0) {
								finished = true;
								break;
							}
						}
						continue;
					}
					break;
				}
			}
			if (code === CHAR_ASTERISK) {
				if (prev === CHAR_ASTERISK) isGlobstar = token.isGlobstar = true;
				isGlob = token.isGlob = true;
				finished = true;
				if (scanToEnd === true) continue;
				break;
			}
			if (code === CHAR_QUESTION_MARK) {
				isGlob = token.isGlob = true;
				finished = true;
				if (scanToEnd === true) continue;
				break;
			}
			if (code === CHAR_LEFT_SQUARE_BRACKET) {
				while (eos() !== true && (next = advance())) {
					if (next === CHAR_BACKWARD_SLASH) {
						backslashes = token.backslashes = true;
						advance();
						continue;
					}
					if (next === CHAR_RIGHT_SQUARE_BRACKET) {
						isBracket = token.isBracket = true;
						isGlob = token.isGlob = true;
						finished = true;
						break;
					}
				}
				if (scanToEnd === true) continue;
				break;
			}
			if (opts.nonegate !== true && code === CHAR_EXCLAMATION_MARK && index === start) {
				negated = token.negated = true;
				start++;
				continue;
			}
			if (opts.noparen !== true && code === CHAR_LEFT_PARENTHESES) {
				isGlob = token.isGlob = true;
				if (scanToEnd === true) {
					let parens = 1;
					while (eos() !== true && (code = advance())) {
						if (code === CHAR_BACKWARD_SLASH) {
							backslashes = token.backslashes = true;
							advance();
							continue;
						}
						if (code === CHAR_LEFT_PARENTHESES) {
							parens++;
							continue;
						}
						if (code === CHAR_RIGHT_PARENTHESES && --parens === 0) {
							finished = true;
							break;
						}
					}
					continue;
				}
				break;
			}
			if (isGlob === true) {
				finished = true;
				if (scanToEnd === true) continue;
				break;
			}
		}
		if (opts.noext === true) {
			isExtglob = false;
			isGlob = false;
		}
		let base = str;
		let prefix = "";
		let glob = "";
		if (start > 0) {
			prefix = str.slice(0, start);
			str = str.slice(start);
			lastIndex -= start;
		}
		if (base && isGlob === true && lastIndex > 0) {
			base = str.slice(0, lastIndex);
			glob = str.slice(lastIndex);
		} else if (isGlob === true) {
			base = "";
			glob = str;
		} else base = str;
		if (base && base !== "" && base !== "/" && base !== str) {
			if (isPathSeparator(base.charCodeAt(base.length - 1))) base = base.slice(0, -1);
		}
		if (opts.unescape === true) {
			if (glob) glob = utils.removeBackslashes(glob);
			if (base && backslashes === true) base = utils.removeBackslashes(base);
		}
		const state = {
			prefix,
			input,
			start,
			base,
			glob,
			isBrace,
			isBracket,
			isGlob,
			isExtglob,
			isGlobstar,
			negated,
			negatedExtglob
		};
		if (opts.tokens === true) {
			state.maxDepth = 0;
			if (!isPathSeparator(code)) tokens.push(token);
			state.tokens = tokens;
		}
		if (opts.parts === true || opts.tokens === true) {
			let prevIndex;
			for (let idx = 0; idx < slashes.length; idx++) {
				const n = prevIndex !== void 0 ? prevIndex + 1 : start;
				const i = slashes[idx];
				const value = input.slice(n, i);
				if (opts.tokens) {
					if (idx === 0 && start !== 0) {
						tokens[idx].isPrefix = true;
						tokens[idx].value = prefix;
					} else tokens[idx].value = value;
					depth(tokens[idx]);
					state.maxDepth += tokens[idx].depth;
				}
				if (i >= start) {
					parts.push(value);
					prevIndex = i;
				}
			}
			const n = prevIndex !== void 0 ? prevIndex + 1 : start;
			const value = input.slice(n);
			parts.push(value);
			if (opts.tokens && prevIndex && prevIndex + 1 < input.length) {
				tokens[tokens.length - 1].value = value;
				depth(tokens[tokens.length - 1]);
				state.maxDepth += tokens[tokens.length - 1].depth;
			}
			state.slashes = slashes;
			state.parts = parts;
		}
		return state;
	};
	module.exports = scan;
}));

// node_modules/picomatch/lib/parse.js
var require_parse = /* @__PURE__ */ __commonJSMin(((exports, module) => {
	const constants = require_constants();
	const utils = require_utils();
	/**
	* Constants
	*/
	const { MAX_LENGTH, POSIX_REGEX_SOURCE, REGEX_NON_SPECIAL_CHARS, REGEX_SPECIAL_CHARS_BACKREF, REPLACEMENTS } = constants;
	/**
	* Helpers
	*/
	const expandRange = (args, options) => {
		if (typeof options.expandRange === "function") return options.expandRange(...args, options);
		args.sort();
		const value = `[${args.join("-")}]`;
		try {
			new RegExp(value);
		} catch (ex) {
			return args.map((v) => utils.escapeRegex(v)).join("..");
		}
		return value;
	};
	/**
	* Create the message for a syntax error
	*/
	const syntaxError = (type, char) => {
		return `Missing ${type}: "${char}" - use "\\\\${char}" to match literal characters`;
	};
	const splitTopLevel = (input) => {
		const parts = [];
		let bracket = 0;
		let paren = 0;
		let quote = 0;
		let value = "";
		let escaped = false;
		for (const ch of input) {
			if (escaped === true) {
				value += ch;
				escaped = false;
				continue;
			}
			if (ch === "\\") {
				value += ch;
				escaped = true;
				continue;
			}
			if (ch === "\"") {
				quote = quote === 1 ? 0 : 1;
				value += ch;
				continue;
			}
			if (quote === 0) {
				if (ch === "[") bracket++;
				else if (ch === "]" && bracket > 0) bracket--;
				else if (bracket === 0) {
					if (ch === "(") paren++;
					else if (ch === ")" && paren > 0) paren--;
					else if (ch === "|" && paren === 0) {
						parts.push(value);
						value = "";
						continue;
					}
				}
			}
			value += ch;
		}
		parts.push(value);
		return parts;
	};
	const isPlainBranch = (branch) => {
		let escaped = false;
		for (const ch of branch) {
			if (escaped === true) {
				escaped = false;
				continue;
			}
			if (ch === "\\") {
				escaped = true;
				continue;
			}
			if (/[?*+@!()[\]{}]/.test(ch)) return false;
		}
		return true;
	};
	const normalizeSimpleBranch = (branch) => {
		let value = branch.trim();
		let changed = true;
		while (changed === true) {
			changed = false;
			if (/^@\([^\\()[\]{}|]+\)$/.test(value)) {
				value = value.slice(2, -1);
				changed = true;
			}
		}
		if (!isPlainBranch(value)) return;
		return value.replace(/\\(.)/g, "$1");
	};
	const hasRepeatedCharPrefixOverlap = (branches) => {
		const values = branches.map(normalizeSimpleBranch).filter(Boolean);
		for (let i = 0; i < values.length; i++) for (let j = i + 1; j < values.length; j++) {
			const a = values[i];
			const b = values[j];
			const char = a[0];
			if (!char || a !== char.repeat(a.length) || b !== char.repeat(b.length)) continue;
			if (a === b || a.startsWith(b) || b.startsWith(a)) return true;
		}
		return false;
	};
	const parseRepeatedExtglob = (pattern, requireEnd = true) => {
		if (pattern[0] !== "+" && pattern[0] !== "*" || pattern[1] !== "(") return;
		let bracket = 0;
		let paren = 0;
		let quote = 0;
		let escaped = false;
		for (let i = 1; i < pattern.length; i++) {
			const ch = pattern[i];
			if (escaped === true) {
				escaped = false;
				continue;
			}
			if (ch === "\\") {
				escaped = true;
				continue;
			}
			if (ch === "\"") {
				quote = quote === 1 ? 0 : 1;
				continue;
			}
			if (quote === 1) continue;
			if (ch === "[") {
				bracket++;
				continue;
			}
			if (ch === "]" && bracket > 0) {
				bracket--;
				continue;
			}
			if (bracket > 0) continue;
			if (ch === "(") {
				paren++;
				continue;
			}
			if (ch === ")") {
				paren--;
				if (paren === 0) {
					if (requireEnd === true && i !== pattern.length - 1) return;
					return {
						type: pattern[0],
						body: pattern.slice(2, i),
						end: i
					};
				}
			}
		}
	};
	const buildCharClassStar = (chars) => {
		return `${chars.length === 1 ? utils.escapeRegex(chars[0]) : `[${chars.map((ch) => utils.escapeRegex(ch)).join("")}]`}*`;
	};
	const getStarExtglobSequenceChars = (pattern) => {
		let index = 0;
		const chars = [];
		while (index < pattern.length) {
			const match = parseRepeatedExtglob(pattern.slice(index), false);
			if (!match || match.type !== "*") return;
			const branches = splitTopLevel(match.body).map((branch) => branch.trim());
			if (branches.length !== 1) return;
			const branch = normalizeSimpleBranch(branches[0]);
			if (!branch || branch.length !== 1) return;
			chars.push(branch);
			index += match.end + 1;
		}
		if (chars.length < 1) return;
		return chars;
	};
	const repeatedExtglobRecursion = (pattern) => {
		let depth = 0;
		let value = pattern.trim();
		let match = parseRepeatedExtglob(value);
		while (match) {
			depth++;
			value = match.body.trim();
			match = parseRepeatedExtglob(value);
		}
		return depth;
	};
	const analyzeRepeatedExtglob = (body, options) => {
		if (options.maxExtglobRecursion === false) return { risky: false };
		const max = typeof options.maxExtglobRecursion === "number" ? options.maxExtglobRecursion : constants.DEFAULT_MAX_EXTGLOB_RECURSION;
		const branches = splitTopLevel(body).map((branch) => branch.trim());
		if (branches.length > 1) {
			if (branches.some((branch) => branch === "") || branches.some((branch) => /^[*?]+$/.test(branch)) || hasRepeatedCharPrefixOverlap(branches)) return { risky: true };
		}
		const safeChars = [];
		let sawStarSequence = false;
		let combinable = true;
		for (const branch of branches) {
			const chars = getStarExtglobSequenceChars(branch);
			if (chars) {
				sawStarSequence = true;
				safeChars.push(...chars);
				continue;
			}
			const literal = normalizeSimpleBranch(branch);
			if (literal && literal.length === 1) {
				safeChars.push(literal);
				continue;
			}
			combinable = false;
			if (repeatedExtglobRecursion(branch) > max) return { risky: true };
		}
		if (sawStarSequence) return combinable ? {
			risky: true,
			safeOutput: buildCharClassStar([...new Set(safeChars)])
		} : { risky: true };
		return { risky: false };
	};
	/**
	* Parse the given input string.
	* @param {String} input
	* @param {Object} options
	* @return {Object}
	*/
	const parse = (input, options) => {
		if (typeof input !== "string") throw new TypeError("Expected a string");
		input = REPLACEMENTS[input] || input;
		const opts = { ...options };
		const max = typeof opts.maxLength === "number" ? Math.min(MAX_LENGTH, opts.maxLength) : MAX_LENGTH;
		let len = input.length;
		if (len > max) throw new SyntaxError(`Input length: ${len}, exceeds maximum allowed length: ${max}`);
		const bos = {
			type: "bos",
			value: "",
			output: opts.prepend || ""
		};
		const tokens = [bos];
		const capture = opts.capture ? "" : "?:";
		const PLATFORM_CHARS = constants.globChars(opts.windows);
		const EXTGLOB_CHARS = constants.extglobChars(PLATFORM_CHARS);
		const { DOT_LITERAL, PLUS_LITERAL, SLASH_LITERAL, ONE_CHAR, DOTS_SLASH, NO_DOT, NO_DOT_SLASH, NO_DOTS_SLASH, QMARK, QMARK_NO_DOT, STAR, START_ANCHOR } = PLATFORM_CHARS;
		const globstar = (opts) => {
			return `(${capture}(?:(?!${START_ANCHOR}${opts.dot ? DOTS_SLASH : DOT_LITERAL}).)*?)`;
		};
		const nodot = opts.dot ? "" : NO_DOT;
		const qmarkNoDot = opts.dot ? QMARK : QMARK_NO_DOT;
		let star = opts.bash === true ? globstar(opts) : STAR;
		if (opts.capture) star = `(${star})`;
		if (typeof opts.noext === "boolean") opts.noextglob = opts.noext;
		const state = {
			input,
			index: -1,
			start: 0,
			dot: opts.dot === true,
			consumed: "",
			output: "",
			prefix: "",
			backtrack: false,
			negated: false,
			brackets: 0,
			braces: 0,
			parens: 0,
			quotes: 0,
			globstar: false,
			tokens
		};
		input = utils.removePrefix(input, state);
		len = input.length;
		const extglobs = [];
		const braces = [];
		const stack = [];
		let prev = bos;
		let value;
		/**
		* Tokenizing helpers
		*/
		const eos = () => state.index === len - 1;
		const peek = state.peek = (n = 1) => input[state.index + n];
		const advance = state.advance = () => input[++state.index] || "";
		const remaining = () => input.slice(state.index + 1);
		const consume = (value = "", num = 0) => {
			state.consumed += value;
			state.index += num;
		};
		const append = (token) => {
			state.output += token.output != null ? token.output : token.value;
			consume(token.value);
		};
		const negate = () => {
			let count = 1;
			while (peek() === "!" && (peek(2) !== "(" || peek(3) === "?")) {
				advance();
				state.start++;
				count++;
			}
			if (count % 2 === 0) return false;
			state.negated = true;
			state.start++;
			return true;
		};
		const increment = (type) => {
			state[type]++;
			stack.push(type);
		};
		const decrement = (type) => {
			state[type]--;
			stack.pop();
		};
		/**
		* Push tokens onto the tokens array. This helper speeds up
		* tokenizing by 1) helping us avoid backtracking as much as possible,
		* and 2) helping us avoid creating extra tokens when consecutive
		* characters are plain text. This improves performance and simplifies
		* lookbehinds.
		*/
		const push = (tok) => {
			if (prev.type === "globstar") {
				const isBrace = state.braces > 0 && (tok.type === "comma" || tok.type === "brace");
				const isExtglob = tok.extglob === true || extglobs.length && (tok.type === "pipe" || tok.type === "paren");
				if (tok.type !== "slash" && tok.type !== "paren" && !isBrace && !isExtglob) {
					state.output = state.output.slice(0, -prev.output.length);
					prev.type = "star";
					prev.value = "*";
					prev.output = star;
					state.output += prev.output;
				}
			}
			if (extglobs.length && tok.type !== "paren") extglobs[extglobs.length - 1].inner += tok.value;
			if (tok.value || tok.output) append(tok);
			if (prev && prev.type === "text" && tok.type === "text") {
				prev.output = (prev.output || prev.value) + tok.value;
				prev.value += tok.value;
				return;
			}
			tok.prev = prev;
			tokens.push(tok);
			prev = tok;
		};
		const extglobOpen = (type, value) => {
			const token = {
				...EXTGLOB_CHARS[value],
				conditions: 1,
				inner: ""
			};
			token.prev = prev;
			token.parens = state.parens;
			token.output = state.output;
			token.startIndex = state.index;
			token.tokensIndex = tokens.length;
			const output = (opts.capture ? "(" : "") + token.open;
			increment("parens");
			push({
				type,
				value,
				output: state.output ? "" : ONE_CHAR
			});
			push({
				type: "paren",
				extglob: true,
				value: advance(),
				output
			});
			extglobs.push(token);
		};
		const extglobClose = (token) => {
			const literal = input.slice(token.startIndex, state.index + 1);
			const body = input.slice(token.startIndex + 2, state.index);
			const analysis = analyzeRepeatedExtglob(body, opts);
			if ((token.type === "plus" || token.type === "star") && analysis.risky) {
				const safeOutput = analysis.safeOutput ? (token.output ? "" : ONE_CHAR) + (opts.capture ? `(${analysis.safeOutput})` : analysis.safeOutput) : void 0;
				const open = tokens[token.tokensIndex];
				open.type = "text";
				open.value = literal;
				open.output = safeOutput || utils.escapeRegex(literal);
				for (let i = token.tokensIndex + 1; i < tokens.length; i++) {
					tokens[i].value = "";
					tokens[i].output = "";
					delete tokens[i].suffix;
				}
				state.output = token.output + open.output;
				state.backtrack = true;
				push({
					type: "paren",
					extglob: true,
					value,
					output: ""
				});
				decrement("parens");
				return;
			}
			let output = token.close + (opts.capture ? ")" : "");
			let rest;
			if (token.type === "negate") {
				let extglobStar = star;
				if (token.inner && token.inner.length > 1 && token.inner.includes("/")) extglobStar = globstar(opts);
				if (extglobStar !== star || eos() || /^\)+$/.test(remaining())) output = token.close = `)$))${extglobStar}`;
				if (token.inner.includes("*") && (rest = remaining()) && /^\.[^\\/.]+$/.test(rest)) output = token.close = `)${parse(rest, {
					...options,
					fastpaths: false
				}).output})${extglobStar})`;
				if (token.prev.type === "bos") state.negatedExtglob = true;
			}
			push({
				type: "paren",
				extglob: true,
				value,
				output
			});
			decrement("parens");
		};
		/**
		* Fast paths
		*/
		if (opts.fastpaths !== false && !/(^[*!]|[/()[\]{}"])/.test(input)) {
			let backslashes = false;
			let output = input.replace(REGEX_SPECIAL_CHARS_BACKREF, (m, esc, chars, first, rest, index) => {
				if (first === "\\") {
					backslashes = true;
					return m;
				}
				if (first === "?") {
					if (esc) return esc + first + (rest ? QMARK.repeat(rest.length) : "");
					if (index === 0) return qmarkNoDot + (rest ? QMARK.repeat(rest.length) : "");
					return QMARK.repeat(chars.length);
				}
				if (first === ".") return DOT_LITERAL.repeat(chars.length);
				if (first === "*") {
					if (esc) return esc + first + (rest ? star : "");
					return star;
				}
				return esc ? m : `\\${m}`;
			});
			if (backslashes === true) {
				if (opts.unescape === true) output = output.replace(/\\/g, "");
				else output = output.replace(/\\+/g, (m) => {
					return m.length % 2 === 0 ? "\\\\" : m ? "\\" : "";
				});
			}
			if (output === input && opts.contains === true) {
				state.output = input;
				return state;
			}
			state.output = utils.wrapOutput(output, state, options);
			return state;
		}
		/**
		* Tokenize input until we reach end-of-string
		*/
		while (!eos()) {
			value = advance();
			if (value === "\0") continue;
			/**
			* Escaped characters
			*/
			if (value === "\\") {
				const next = peek();
				if (next === "/" && opts.bash !== true) continue;
				if (next === "." || next === ";") continue;
				if (!next) {
					value += "\\";
					push({
						type: "text",
						value
					});
					continue;
				}
				const match = /^\\+/.exec(remaining());
				let slashes = 0;
				if (match && match[0].length > 2) {
					slashes = match[0].length;
					state.index += slashes;
					if (slashes % 2 !== 0) value += "\\";
				}
				if (opts.unescape === true) value = advance();
				else value += advance();
				if (state.brackets === 0) {
					push({
						type: "text",
						value
					});
					continue;
				}
			}
			/**
			* If we're inside a regex character class, continue
			* until we reach the closing bracket.
			*/
			if (state.brackets > 0 && (value !== "]" || prev.value === "[" || prev.value === "[^")) {
				if (opts.posix !== false && value === ":") {
					const inner = prev.value.slice(1);
					if (inner.includes("[")) {
						prev.posix = true;
						if (inner.includes(":")) {
							const idx = prev.value.lastIndexOf("[");
							const pre = prev.value.slice(0, idx);
							const rest = prev.value.slice(idx + 2);
							const posix = POSIX_REGEX_SOURCE[rest];
							if (posix) {
								prev.value = pre + posix;
								state.backtrack = true;
								advance();
								if (!bos.output && tokens.indexOf(prev) === 1) bos.output = ONE_CHAR;
								continue;
							}
						}
					}
				}
				if (value === "[" && peek() !== ":" || value === "-" && peek() === "]") value = `\\${value}`;
				if (value === "]" && (prev.value === "[" || prev.value === "[^")) value = `\\${value}`;
				if (opts.posix === true && value === "!" && prev.value === "[") value = "^";
				prev.value += value;
				append({ value });
				continue;
			}
			/**
			* If we're inside a quoted string, continue
			* until we reach the closing double quote.
			*/
			if (state.quotes === 1 && value !== "\"") {
				value = utils.escapeRegex(value);
				prev.value += value;
				append({ value });
				continue;
			}
			/**
			* Double quotes
			*/
			if (value === "\"") {
				state.quotes = state.quotes === 1 ? 0 : 1;
				if (opts.keepQuotes === true) push({
					type: "text",
					value
				});
				continue;
			}
			/**
			* Parentheses
			*/
			if (value === "(") {
				increment("parens");
				push({
					type: "paren",
					value
				});
				continue;
			}
			if (value === ")") {
				if (state.parens === 0 && opts.strictBrackets === true) throw new SyntaxError(syntaxError("opening", "("));
				const extglob = extglobs[extglobs.length - 1];
				if (extglob && state.parens === extglob.parens + 1) {
					extglobClose(extglobs.pop());
					continue;
				}
				push({
					type: "paren",
					value,
					output: state.parens ? ")" : "\\)"
				});
				decrement("parens");
				continue;
			}
			/**
			* Square brackets
			*/
			if (value === "[") {
				if (opts.nobracket === true || !remaining().includes("]")) {
					if (opts.nobracket !== true && opts.strictBrackets === true) throw new SyntaxError(syntaxError("closing", "]"));
					value = `\\${value}`;
				} else increment("brackets");
				push({
					type: "bracket",
					value
				});
				continue;
			}
			if (value === "]") {
				if (opts.nobracket === true || prev && prev.type === "bracket" && prev.value.length === 1) {
					push({
						type: "text",
						value,
						output: `\\${value}`
					});
					continue;
				}
				if (state.brackets === 0) {
					if (opts.strictBrackets === true) throw new SyntaxError(syntaxError("opening", "["));
					push({
						type: "text",
						value,
						output: `\\${value}`
					});
					continue;
				}
				decrement("brackets");
				const prevValue = prev.value.slice(1);
				if (prev.posix !== true && prevValue[0] === "^" && !prevValue.includes("/")) value = `/${value}`;
				prev.value += value;
				append({ value });
				if (opts.literalBrackets === false || utils.hasRegexChars(prevValue)) continue;
				const escaped = utils.escapeRegex(prev.value);
				state.output = state.output.slice(0, -prev.value.length);
				if (opts.literalBrackets === true) {
					state.output += escaped;
					prev.value = escaped;
					continue;
				}
				prev.value = `(${capture}${escaped}|${prev.value})`;
				state.output += prev.value;
				continue;
			}
			/**
			* Braces
			*/
			if (value === "{" && opts.nobrace !== true) {
				increment("braces");
				const open = {
					type: "brace",
					value,
					output: "(",
					outputIndex: state.output.length,
					tokensIndex: state.tokens.length
				};
				braces.push(open);
				push(open);
				continue;
			}
			if (value === "}") {
				const brace = braces[braces.length - 1];
				if (opts.nobrace === true || !brace) {
					push({
						type: "text",
						value,
						output: value
					});
					continue;
				}
				let output = ")";
				if (brace.dots === true) {
					const arr = tokens.slice();
					const range = [];
					for (let i = arr.length - 1; i >= 0; i--) {
						tokens.pop();
						if (arr[i].type === "brace") break;
						if (arr[i].type !== "dots") range.unshift(arr[i].value);
					}
					output = expandRange(range, opts);
					state.backtrack = true;
				}
				if (brace.comma !== true && brace.dots !== true) {
					const out = state.output.slice(0, brace.outputIndex);
					const toks = state.tokens.slice(brace.tokensIndex);
					brace.value = brace.output = "\\{";
					value = output = "\\}";
					state.output = out;
					for (const t of toks) state.output += t.output || t.value;
				}
				push({
					type: "brace",
					value,
					output
				});
				decrement("braces");
				braces.pop();
				continue;
			}
			/**
			* Pipes
			*/
			if (value === "|") {
				if (extglobs.length > 0) extglobs[extglobs.length - 1].conditions++;
				push({
					type: "text",
					value
				});
				continue;
			}
			/**
			* Commas
			*/
			if (value === ",") {
				let output = value;
				const brace = braces[braces.length - 1];
				if (brace && stack[stack.length - 1] === "braces") {
					brace.comma = true;
					output = "|";
				}
				push({
					type: "comma",
					value,
					output
				});
				continue;
			}
			/**
			* Slashes
			*/
			if (value === "/") {
				if (prev.type === "dot" && state.index === state.start + 1) {
					state.start = state.index + 1;
					state.consumed = "";
					state.output = "";
					tokens.pop();
					prev = bos;
					continue;
				}
				push({
					type: "slash",
					value,
					output: SLASH_LITERAL
				});
				continue;
			}
			/**
			* Dots
			*/
			if (value === ".") {
				if (state.braces > 0 && prev.type === "dot") {
					if (prev.value === ".") prev.output = DOT_LITERAL;
					const brace = braces[braces.length - 1];
					prev.type = "dots";
					prev.output += value;
					prev.value += value;
					brace.dots = true;
					continue;
				}
				if (state.braces + state.parens === 0 && prev.type !== "bos" && prev.type !== "slash") {
					push({
						type: "text",
						value,
						output: DOT_LITERAL
					});
					continue;
				}
				push({
					type: "dot",
					value,
					output: DOT_LITERAL
				});
				continue;
			}
			/**
			* Question marks
			*/
			if (value === "?") {
				if (!(prev && prev.value === "(") && opts.noextglob !== true && peek() === "(" && peek(2) !== "?") {
					extglobOpen("qmark", value);
					continue;
				}
				if (prev && prev.type === "paren") {
					const next = peek();
					let output = value;
					if (prev.value === "(" && !/[!=<:]/.test(next) || next === "<" && !/<([!=]|\w+>)/.test(remaining())) output = `\\${value}`;
					push({
						type: "text",
						value,
						output
					});
					continue;
				}
				if (opts.dot !== true && (prev.type === "slash" || prev.type === "bos")) {
					push({
						type: "qmark",
						value,
						output: QMARK_NO_DOT
					});
					continue;
				}
				push({
					type: "qmark",
					value,
					output: QMARK
				});
				continue;
			}
			/**
			* Exclamation
			*/
			if (value === "!") {
				if (opts.noextglob !== true && peek() === "(") {
					if (peek(2) !== "?" || !/[!=<:]/.test(peek(3))) {
						extglobOpen("negate", value);
						continue;
					}
				}
				if (opts.nonegate !== true && state.index === 0) {
					negate();
					continue;
				}
			}
			/**
			* Plus
			*/
			if (value === "+") {
				if (opts.noextglob !== true && peek() === "(" && peek(2) !== "?") {
					extglobOpen("plus", value);
					continue;
				}
				if (prev && prev.value === "(" || opts.regex === false) {
					push({
						type: "plus",
						value,
						output: PLUS_LITERAL
					});
					continue;
				}
				if (prev && (prev.type === "bracket" || prev.type === "paren" || prev.type === "brace") || state.parens > 0) {
					push({
						type: "plus",
						value
					});
					continue;
				}
				push({
					type: "plus",
					value: PLUS_LITERAL
				});
				continue;
			}
			/**
			* Plain text
			*/
			if (value === "@") {
				if (opts.noextglob !== true && peek() === "(" && peek(2) !== "?") {
					push({
						type: "at",
						extglob: true,
						value,
						output: ""
					});
					continue;
				}
				push({
					type: "text",
					value
				});
				continue;
			}
			/**
			* Plain text
			*/
			if (value !== "*") {
				if (value === "$" || value === "^") value = `\\${value}`;
				const match = REGEX_NON_SPECIAL_CHARS.exec(remaining());
				if (match) {
					value += match[0];
					state.index += match[0].length;
				}
				push({
					type: "text",
					value
				});
				continue;
			}
			/**
			* Stars
			*/
			if (prev && (prev.type === "globstar" || prev.star === true)) {
				prev.type = "star";
				prev.star = true;
				prev.value += value;
				prev.output = star;
				state.backtrack = true;
				state.globstar = true;
				consume(value);
				continue;
			}
			let rest = remaining();
			if (opts.noextglob !== true && /^\([^?]/.test(rest)) {
				extglobOpen("star", value);
				continue;
			}
			if (prev.type === "star") {
				if (opts.noglobstar === true) {
					consume(value);
					continue;
				}
				const prior = prev.prev;
				const before = prior.prev;
				const isStart = prior.type === "slash" || prior.type === "bos";
				const afterStar = before && (before.type === "star" || before.type === "globstar");
				if (opts.bash === true && (!isStart || rest[0] && rest[0] !== "/")) {
					push({
						type: "star",
						value,
						output: ""
					});
					continue;
				}
				const isBrace = state.braces > 0 && (prior.type === "comma" || prior.type === "brace");
				const isExtglob = extglobs.length && (prior.type === "pipe" || prior.type === "paren");
				if (!isStart && prior.type !== "paren" && !isBrace && !isExtglob) {
					push({
						type: "star",
						value,
						output: ""
					});
					continue;
				}
				while (rest.slice(0, 3) === "/**") {
					const after = input[state.index + 4];
					if (after && after !== "/") break;
					rest = rest.slice(3);
					consume("/**", 3);
				}
				const isEnd = eos() || state.parens > 0 && rest === ")".repeat(state.parens) && !extglobs.some((extglob) => extglob.type === "negate");
				if (prior.type === "bos" && eos()) {
					prev.type = "globstar";
					prev.value += value;
					prev.output = globstar(opts);
					state.output = prev.output;
					state.globstar = true;
					consume(value);
					continue;
				}
				if (prior.type === "slash" && prior.prev.type !== "bos" && !afterStar && isEnd) {
					state.output = state.output.slice(0, -(prior.output + prev.output).length);
					prior.output = `(?:${prior.output}`;
					prev.type = "globstar";
					prev.output = globstar(opts) + (opts.strictSlashes ? ")" : "|$)");
					prev.value += value;
					state.globstar = true;
					state.output += prior.output + prev.output;
					consume(value);
					continue;
				}
				if (prior.type === "slash" && prior.prev.type !== "bos" && rest[0] === "/") {
					const end = rest[1] !== void 0 ? "|$" : "";
					state.output = state.output.slice(0, -(prior.output + prev.output).length);
					prior.output = `(?:${prior.output}`;
					prev.type = "globstar";
					prev.output = `${globstar(opts)}${SLASH_LITERAL}|${SLASH_LITERAL}${end})`;
					prev.value += value;
					state.output += prior.output + prev.output;
					state.globstar = true;
					consume(value + advance());
					push({
						type: "slash",
						value: "/",
						output: ""
					});
					continue;
				}
				if (prior.type === "bos" && rest[0] === "/") {
					prev.type = "globstar";
					prev.value += value;
					prev.output = `(?:^|${SLASH_LITERAL}|${globstar(opts)}${SLASH_LITERAL})`;
					state.output = prev.output;
					state.globstar = true;
					consume(value + advance());
					push({
						type: "slash",
						value: "/",
						output: ""
					});
					continue;
				}
				state.output = state.output.slice(0, -prev.output.length);
				prev.type = "globstar";
				prev.output = globstar(opts);
				prev.value += value;
				state.output += prev.output;
				state.globstar = true;
				consume(value);
				continue;
			}
			const token = {
				type: "star",
				value,
				output: star
			};
			if (opts.bash === true) {
				token.output = ".*?";
				if (prev.type === "bos" || prev.type === "slash") token.output = nodot + token.output;
				push(token);
				continue;
			}
			if (prev && (prev.type === "bracket" || prev.type === "paren") && opts.regex === true) {
				token.output = value;
				push(token);
				continue;
			}
			if (state.index === state.start || prev.type === "slash" || prev.type === "dot") {
				if (prev.type === "dot") {
					state.output += NO_DOT_SLASH;
					prev.output += NO_DOT_SLASH;
				} else if (opts.dot === true) {
					state.output += NO_DOTS_SLASH;
					prev.output += NO_DOTS_SLASH;
				} else {
					state.output += nodot;
					prev.output += nodot;
				}
				if (peek() !== "*") {
					state.output += ONE_CHAR;
					prev.output += ONE_CHAR;
				}
			}
			push(token);
		}
		while (state.brackets > 0) {
			if (opts.strictBrackets === true) throw new SyntaxError(syntaxError("closing", "]"));
			state.output = utils.escapeLast(state.output, "[");
			decrement("brackets");
		}
		while (state.parens > 0) {
			if (opts.strictBrackets === true) throw new SyntaxError(syntaxError("closing", ")"));
			state.output = utils.escapeLast(state.output, "(");
			decrement("parens");
		}
		while (state.braces > 0) {
			if (opts.strictBrackets === true) throw new SyntaxError(syntaxError("closing", "}"));
			state.output = utils.escapeLast(state.output, "{");
			decrement("braces");
		}
		if (opts.strictSlashes !== true && (prev.type === "star" || prev.type === "bracket")) push({
			type: "maybe_slash",
			value: "",
			output: `${SLASH_LITERAL}?`
		});
		if (state.backtrack === true) {
			state.output = "";
			for (const token of state.tokens) {
				state.output += token.output != null ? token.output : token.value;
				if (token.suffix) state.output += token.suffix;
			}
		}
		return state;
	};
	/**
	* Fast paths for creating regular expressions for common glob patterns.
	* This can significantly speed up processing and has very little downside
	* impact when none of the fast paths match.
	*/
	parse.fastpaths = (input, options) => {
		const opts = { ...options };
		const max = typeof opts.maxLength === "number" ? Math.min(MAX_LENGTH, opts.maxLength) : MAX_LENGTH;
		const len = input.length;
		if (len > max) throw new SyntaxError(`Input length: ${len}, exceeds maximum allowed length: ${max}`);
		input = REPLACEMENTS[input] || input;
		const { DOT_LITERAL, SLASH_LITERAL, ONE_CHAR, DOTS_SLASH, NO_DOT, NO_DOTS, NO_DOTS_SLASH, STAR, START_ANCHOR } = constants.globChars(opts.windows);
		const nodot = opts.dot ? NO_DOTS : NO_DOT;
		const slashDot = opts.dot ? NO_DOTS_SLASH : NO_DOT;
		const capture = opts.capture ? "" : "?:";
		const state = {
			negated: false,
			prefix: ""
		};
		let star = opts.bash === true ? ".*?" : STAR;
		if (opts.capture) star = `(${star})`;
		const globstar = (opts) => {
			if (opts.noglobstar === true) return star;
			return `(${capture}(?:(?!${START_ANCHOR}${opts.dot ? DOTS_SLASH : DOT_LITERAL}).)*?)`;
		};
		const create = (str) => {
			switch (str) {
				case "*": return `${nodot}${ONE_CHAR}${star}`;
				case ".*": return `${DOT_LITERAL}${ONE_CHAR}${star}`;
				case "*.*": return `${nodot}${star}${DOT_LITERAL}${ONE_CHAR}${star}`;
				case "*/*": return `${nodot}${star}${SLASH_LITERAL}${ONE_CHAR}${slashDot}${star}`;
				case "**": return nodot + globstar(opts);
				case "**/*": return `(?:${nodot}${globstar(opts)}${SLASH_LITERAL})?${slashDot}${ONE_CHAR}${star}`;
				case "**/*.*": return `(?:${nodot}${globstar(opts)}${SLASH_LITERAL})?${slashDot}${star}${DOT_LITERAL}${ONE_CHAR}${star}`;
				case "**/.*": return `(?:${nodot}${globstar(opts)}${SLASH_LITERAL})?${DOT_LITERAL}${ONE_CHAR}${star}`;
				default: {
					const match = /^(.*?)\.(\w+)$/.exec(str);
					if (!match) return;
					const source = create(match[1]);
					if (!source) return;
					return source + DOT_LITERAL + match[2];
				}
			}
		};
		let source = create(utils.removePrefix(input, state));
		if (source && opts.strictSlashes !== true) source += `${SLASH_LITERAL}?`;
		return source;
	};
	module.exports = parse;
}));

// node_modules/picomatch/lib/picomatch.js
var require_picomatch$1 = /* @__PURE__ */ __commonJSMin(((exports, module) => {
	const scan = require_scan();
	const parse = require_parse();
	const utils = require_utils();
	const constants = require_constants();
	const isObject = (val) => val && typeof val === "object" && !Array.isArray(val);
	/**
	* Creates a matcher function from one or more glob patterns. The
	* returned function takes a string to match as its first argument,
	* and returns true if the string is a match. The returned matcher
	* function also takes a boolean as the second argument that, when true,
	* returns an object with additional information.
	*
	* ```js
	* const picomatch = require('picomatch');
	* // picomatch(glob[, options]);
	*
	* const isMatch = picomatch('*.!(*a)');
	* console.log(isMatch('a.a')); //=> false
	* console.log(isMatch('a.b')); //=> true
	*
	* // For environments without `node.js`, `picomatch/posix` provides you a dependency-free matcher, without automatic OS detection.
	* const picomatch = require('picomatch/posix');
	* // the same API, defaulting to posix paths
	* const isMatch = picomatch('a/*');
	* console.log(isMatch('a\\b')); //=> false
	* console.log(isMatch('a/b')); //=> true
	*
	* // you can still configure the matcher function to accept windows paths
	* const isMatch = picomatch('a/*', { options: windows });
	* console.log(isMatch('a\\b')); //=> true
	* console.log(isMatch('a/b')); //=> true
	* ```
	* @name picomatch
	* @param {String|Array} `globs` One or more glob patterns.
	* @param {Object=} `options`
	* @return {Function=} Returns a matcher function.
	* @api public
	*/
	const picomatch = (glob, options, returnState = false) => {
		if (Array.isArray(glob)) {
			const fns = glob.map((input) => picomatch(input, options, returnState));
			const arrayMatcher = (str) => {
				for (const isMatch of fns) {
					const state = isMatch(str);
					if (state) return state;
				}
				return false;
			};
			return arrayMatcher;
		}
		const isState = isObject(glob) && glob.tokens && glob.input;
		if (glob === "" || typeof glob !== "string" && !isState) throw new TypeError("Expected pattern to be a non-empty string");
		const opts = options || {};
		const posix = opts.windows;
		const regex = isState ? picomatch.compileRe(glob, options) : picomatch.makeRe(glob, options, false, true);
		const state = regex.state;
		delete regex.state;
		let isIgnored = () => false;
		if (opts.ignore) {
			const ignoreOpts = {
				...options,
				ignore: null,
				onMatch: null,
				onResult: null
			};
			isIgnored = picomatch(opts.ignore, ignoreOpts, returnState);
		}
		const matcher = (input, returnObject = false) => {
			const { isMatch, match, output } = picomatch.test(input, regex, options, {
				glob,
				posix
			});
			const result = {
				glob,
				state,
				regex,
				posix,
				input,
				output,
				match,
				isMatch
			};
			if (typeof opts.onResult === "function") opts.onResult(result);
			if (isMatch === false) {
				result.isMatch = false;
				return returnObject ? result : false;
			}
			if (isIgnored(input)) {
				if (typeof opts.onIgnore === "function") opts.onIgnore(result);
				result.isMatch = false;
				return returnObject ? result : false;
			}
			if (typeof opts.onMatch === "function") opts.onMatch(result);
			return returnObject ? result : true;
		};
		if (returnState) matcher.state = state;
		return matcher;
	};
	/**
	* Test `input` with the given `regex`. This is used by the main
	* `picomatch()` function to test the input string.
	*
	* ```js
	* const picomatch = require('picomatch');
	* // picomatch.test(input, regex[, options]);
	*
	* console.log(picomatch.test('foo/bar', /^(?:([^/]*?)\/([^/]*?))$/));
	* // { isMatch: true, match: [ 'foo/', 'foo', 'bar' ], output: 'foo/bar' }
	* ```
	* @param {String} `input` String to test.
	* @param {RegExp} `regex`
	* @return {Object} Returns an object with matching info.
	* @api public
	*/
	picomatch.test = (input, regex, options, { glob, posix } = {}) => {
		if (typeof input !== "string") throw new TypeError("Expected input to be a string");
		if (input === "") return {
			isMatch: false,
			output: ""
		};
		const opts = options || {};
		const format = opts.format || (posix ? utils.toPosixSlashes : null);
		let match = input === glob;
		let output = match && format ? format(input) : input;
		if (match === false) {
			output = format ? format(input) : input;
			match = output === glob;
		}
		if (match === false || opts.capture === true) {
			if (opts.matchBase === true || opts.basename === true) match = picomatch.matchBase(input, regex, options, posix);
			else match = regex.exec(output);
		}
		return {
			isMatch: Boolean(match),
			match,
			output
		};
	};
	/**
	* Match the basename of a filepath.
	*
	* ```js
	* const picomatch = require('picomatch');
	* // picomatch.matchBase(input, glob[, options]);
	* console.log(picomatch.matchBase('foo/bar.js', '*.js'); // true
	* ```
	* @param {String} `input` String to test.
	* @param {RegExp|String} `glob` Glob pattern or regex created by [.makeRe](#makeRe).
	* @return {Boolean}
	* @api public
	*/
	picomatch.matchBase = (input, glob, options, posix = options && options.windows) => {
		return (glob instanceof RegExp ? glob : picomatch.makeRe(glob, options)).test(utils.basename(input, { windows: posix }));
	};
	/**
	* Returns true if **any** of the given glob `patterns` match the specified `string`.
	*
	* ```js
	* const picomatch = require('picomatch');
	* // picomatch.isMatch(string, patterns[, options]);
	*
	* console.log(picomatch.isMatch('a.a', ['b.*', '*.a'])); //=> true
	* console.log(picomatch.isMatch('a.a', 'b.*')); //=> false
	* ```
	* @param {String|Array} str The string to test.
	* @param {String|Array} patterns One or more glob patterns to use for matching.
	* @param {Object} [options] See available [options](#options).
	* @return {Boolean} Returns true if any patterns match `str`
	* @api public
	*/
	picomatch.isMatch = (str, patterns, options) => picomatch(patterns, options)(str);
	/**
	* Parse a glob pattern to create the source string for a regular
	* expression.
	*
	* ```js
	* const picomatch = require('picomatch');
	* const result = picomatch.parse(pattern[, options]);
	* ```
	* @param {String} `pattern`
	* @param {Object} `options`
	* @return {Object} Returns an object with useful properties and output to be used as a regex source string.
	* @api public
	*/
	picomatch.parse = (pattern, options) => {
		if (Array.isArray(pattern)) return pattern.map((p) => picomatch.parse(p, options));
		return parse(pattern, {
			...options,
			fastpaths: false
		});
	};
	/**
	* Scan a glob pattern to separate the pattern into segments.
	*
	* ```js
	* const picomatch = require('picomatch');
	* // picomatch.scan(input[, options]);
	*
	* const result = picomatch.scan('!./foo/*.js');
	* console.log(result);
	* { prefix: '!./',
	*   input: '!./foo/*.js',
	*   start: 3,
	*   base: 'foo',
	*   glob: '*.js',
	*   isBrace: false,
	*   isBracket: false,
	*   isGlob: true,
	*   isExtglob: false,
	*   isGlobstar: false,
	*   negated: true }
	* ```
	* @param {String} `input` Glob pattern to scan.
	* @param {Object} `options`
	* @return {Object} Returns an object with
	* @api public
	*/
	picomatch.scan = (input, options) => scan(input, options);
	/**
	* Compile a regular expression from the `state` object returned by the
	* [parse()](#parse) method.
	*
	* ```js
	* const picomatch = require('picomatch');
	* const state = picomatch.parse('*.js');
	* // picomatch.compileRe(state[, options]);
	*
	* console.log(picomatch.compileRe(state));
	* //=> /^(?:(?!\.)(?=.)[^/]*?\.js)$/
	* ```
	* @param {Object} `state`
	* @param {Object} `options`
	* @param {Boolean} `returnOutput` Intended for implementors, this argument allows you to return the raw output from the parser.
	* @param {Boolean} `returnState` Adds the state to a `state` property on the returned regex. Useful for implementors and debugging.
	* @return {RegExp}
	* @api public
	*/
	picomatch.compileRe = (state, options, returnOutput = false, returnState = false) => {
		if (returnOutput === true) return state.output;
		const opts = options || {};
		const prepend = opts.contains ? "" : "^";
		const append = opts.contains ? "" : "$";
		let source = `${prepend}(?:${state.output})${append}`;
		if (state && state.negated === true) source = `^(?!${source}).*$`;
		const regex = picomatch.toRegex(source, options);
		if (returnState === true) regex.state = state;
		return regex;
	};
	/**
	* Create a regular expression from a parsed glob pattern.
	*
	* ```js
	* const picomatch = require('picomatch');
	* // picomatch.makeRe(state[, options]);
	*
	* const result = picomatch.makeRe('*.js');
	* console.log(result);
	* //=> /^(?:(?!\.)(?=.)[^/]*?\.js)$/
	* ```
	* @param {String} `state` The object returned from the `.parse` method.
	* @param {Object} `options`
	* @param {Boolean} `returnOutput` Implementors may use this argument to return the compiled output, instead of a regular expression. This is not exposed on the options to prevent end-users from mutating the result.
	* @param {Boolean} `returnState` Implementors may use this argument to return the state from the parsed glob with the returned regular expression.
	* @return {RegExp} Returns a regex created from the given pattern.
	* @api public
	*/
	picomatch.makeRe = (input, options = {}, returnOutput = false, returnState = false) => {
		if (!input || typeof input !== "string") throw new TypeError("Expected a non-empty string");
		let parsed = {
			negated: false,
			fastpaths: true
		};
		if (options.fastpaths !== false && (input[0] === "." || input[0] === "*")) parsed.output = parse.fastpaths(input, options);
		if (!parsed.output) parsed = parse(input, options);
		return picomatch.compileRe(parsed, options, returnOutput, returnState);
	};
	/**
	* Create a regular expression from the given regex source string.
	*
	* ```js
	* const picomatch = require('picomatch');
	* // picomatch.toRegex(source[, options]);
	*
	* const { output } = picomatch.parse('*.js');
	* console.log(picomatch.toRegex(output));
	* //=> /^(?:(?!\.)(?=.)[^/]*?\.js)$/
	* ```
	* @param {String} `source` Regular expression source string.
	* @param {Object} `options`
	* @return {RegExp}
	* @api public
	*/
	picomatch.toRegex = (source, options) => {
		try {
			const opts = options || {};
			return new RegExp(source, opts.flags || (opts.nocase ? "i" : ""));
		} catch (err) {
			if (options && options.debug === true) throw err;
			return /$^/;
		}
	};
	/**
	* Picomatch constants.
	* @return {Object}
	*/
	picomatch.constants = constants;
	/**
	* Expose "picomatch"
	*/
	module.exports = picomatch;
}));

// node_modules/picomatch/index.js
var require_picomatch = /* @__PURE__ */ __commonJSMin(((exports, module) => {
	const pico = require_picomatch$1();
	const utils = require_utils();
	function picomatch(glob, options, returnState = false) {
		if (options && (options.windows === null || options.windows === void 0)) options = {
			...options,
			windows: utils.isWindows()
		};
		return pico(glob, options, returnState);
	}
	Object.assign(picomatch, pico);
	module.exports = picomatch;
}));

// action/src/protected-files.ts
/** Hashes of the files that a candidate may not change, taken before and after it ran. */
var import_picomatch = /* @__PURE__ */ __toESM(require_picomatch(), 1);
/**
* The state of each path: kind, executable bit, size and SHA-256 of the content. A link in the checkout is its target's name,
* not the target, which is hashed by its own; one outside is both, because nobody else looks at what it leads to.
* @param before the state that they had: a file of another size has changed, and is not read (it may be as large as a disk)
*/
async function hashFiles(root, paths, before) {
	const hashes = /* @__PURE__ */ new Map();
	const seen = /* @__PURE__ */ new Map();
	for (const path of paths) {
		const earlier = before && (before.get(path) ?? "");
		hashes.set(path, isAbsolute(path) ? await endOf$1(path, seen, earlier) : await stateOf(join(root, path), earlier));
	}
	return hashes;
}
async function endOf$1(file, seen, earlier) {
	const real = await realpath(file).catch(() => file);
	const name = await readlink(file).catch(() => null);
	const prefix = name === null ? "" : `link ${name} to `;
	const state = earlier?.startsWith(prefix) === false ? "" : earlier?.slice(prefix.length);
	if (!seen.has(real)) seen.set(real, await stateOf(real, state));
	return `${prefix}${seen.get(real)}`;
}
/** `earlier`: its state before, empty where it was not there; undefined where this is the first look. */
async function stateOf(file, earlier) {
	try {
		const status = await lstat(file);
		if (status.isSymbolicLink()) return `link ${await readlink(file)}`;
		if (!status.isFile()) return status.isDirectory() ? "folder" : "special";
		const seen = `file ${status.mode & 73 ? "x" : "-"} ${status.size} bytes`;
		if (earlier !== void 0 && !earlier.startsWith(`${seen} `)) return seen;
		const hash = createHash("sha256");
		if (status.size > 0) await pipeline(createReadStream(file, { end: status.size - 1 }), hash);
		return `${seen} ${hash.digest("hex")}`;
	} catch (error) {
		return `unreadable ${error.code}`;
	}
}
/** The paths whose state differs, in order; those that are in one of the two only among them. */
function changedPaths(before, after) {
	return [.../* @__PURE__ */ new Set([...before.keys(), ...after.keys()])].filter((path) => before.get(path) !== after.get(path));
}
/** `~/…` with the home in its place. */
function expandHome(pattern, home) {
	return pattern.startsWith("~/") ? join(home, pattern.slice(2)) : pattern;
}
/** What a pattern says before its first wildcard, to the last whole folder: all that it can match lies in there. */
function fixedPart(pattern) {
	const { base, isGlob } = import_picomatch.default.scan(pattern);
	return isGlob ? base : pattern;
}
/**
* The files that absolute patterns match now, by the names that match, sorted; a star matches names with a dot, too, and a
* folder is all that is in it. Links are followed: a cache may be one, and in a cache links may lead to the content.
*/
async function matchingFiles(patterns) {
	const found = /* @__PURE__ */ new Set();
	for (const pattern of patterns) {
		const exact = pattern.replace(/\/+$/, "");
		const matches = (0, import_picomatch.default)(pattern, {
			dot: true,
			nonegate: true
		});
		const isInside = fixedPart(pattern) === pattern ? (file) => file.startsWith(`${exact}/`) : () => false;
		for (const { path } of await filesThrough(fixedPart(exact))) if (path === exact || matches(path) || isInside(path)) found.add(path);
	}
	return [...found].toSorted();
}
/** Every file below the path, or the path itself; a folder that a link leads back into is not entered again. */
async function filesThrough(path) {
	const found = [];
	const look = async (file, isLinked, above) => {
		const status = await stat(file).catch(() => null);
		const id = `${status?.dev} ${status?.ino}`;
		if (!status?.isDirectory() || above.includes(id)) return void found.push({
			path: file,
			isLinked
		});
		for (const entry of await readdir(file, { withFileTypes: true }).catch(() => [])) {
			const inside = join(file, entry.name);
			const isAlsoLinked = isLinked || entry.isSymbolicLink();
			if (entry.isDirectory() || entry.isSymbolicLink()) await look(inside, isAlsoLinked, [...above, id]);
			else found.push({
				path: inside,
				isLinked
			});
		}
	};
	const start = await lstat(path).catch(() => null);
	if (start !== null) await look(path, start.isSymbolicLink(), []);
	return found;
}
/** The path itself where it is no folder, else every file below it; none where there is nothing. No link is followed. */
async function filesBelow(path) {
	const status = await lstat(path).catch(() => null);
	if (status === null) return [];
	if (!status.isDirectory()) return [path];
	return (await readdir(path, {
		recursive: true,
		withFileTypes: true
	}).catch(() => [])).filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
}

// action/src/surface.ts
/**
* The mutable surface: which paths a candidate may change, and which changes are refused. Pure.
*
* Always: what is not matched is protected. A pattern that begins with `!` is a name, not a negation (a negation would
* open everything else), and `*` does not reach names that begin with a dot unless the pattern names the dot.
*/
/** Says of a path (relative to the top, `/` between folders) whether it is in the mutable surface. */
function mutableMatcher(globs) {
	const matchers = globs.map((glob) => {
		const exact = glob.replace(/\/+$/, "");
		const match = (0, import_picomatch.default)(glob, { nonegate: true });
		return (path) => path === exact || match(path);
	});
	return (path) => matchers.some((matches) => matches(path));
}
function privateSurface(globs) {
	const exact = globs.map((glob) => glob.replace(/\/+$/, ""));
	const matches = mutableMatcher(globs);
	const folders = globs.map((glob) => ({
		base: fixedPart(glob),
		isGlob: fixedPart(glob) !== glob
	}));
	return {
		isPrivate: (path) => matches(path) || exact.some((folder) => path.startsWith(`${folder}/`)),
		isMixed: (path) => folders.some(({ base, isGlob }) => {
			return base === "" || base === "." || base.startsWith(`${path}/`) || isGlob && (path === base || path.startsWith(`${base}/`));
		})
	};
}
/** Parses `git diff-tree -r -z --raw --no-renames`; throws a TypeError on anything else, since a guess could let a change through. */
function parseDiffTree(output) {
	const fields = output.split("\0");
	if (fields.pop() !== "") throw new TypeError("git diff-tree ended in the middle of an entry");
	const changes = [];
	for (let index = 0; index < fields.length; index += 2) {
		const match = /^:\d{6} (\d{6}) [0-9a-f]+ ([0-9a-f]+) [AMDT]$/.exec(fields[index]);
		const path = fields[index + 1];
		if (match === null || path === void 0) throw new TypeError(`not an entry of git diff-tree: ${fields[index]}`);
		changes.push({
			path,
			newMode: match[1],
			newObject: match[2]
		});
	}
	return changes;
}
const plainModes = /* @__PURE__ */ new Set([
	"100644",
	"100755",
	"000000"
]);
/** Why the candidate's changes may not be trained, in one phrase that names the files; null when they may. */
function refusalOf(changes, isMutable) {
	const outside = changes.filter((change) => !isMutable(change.path)).map((change) => change.path);
	if (outside.length > 0) return `changes ${listOf(outside)}, outside the mutable surface`;
	const unnamed = changes.filter((change) => change.path.includes("�")).map((change) => change.path);
	if (unnamed.length > 0) return `gives ${listOf(unnamed)} a name that is not UTF-8`;
	const special = changes.filter((change) => !plainModes.has(change.newMode));
	const links = special.filter((change) => change.newMode === "120000").map((change) => change.path);
	if (links.length > 0) return `makes ${listOf(links)} a symbolic link`;
	if (special.length > 0) return `makes ${listOf(special.map((change) => change.path))} a submodule`;
	return null;
}
/** `a.py, b.py and 3 more`; names longer than 120 characters are cut. */
function listOf(paths) {
	const shown = paths.slice(0, 3).map((path) => path.length > 120 ? `${path.slice(0, 117)}…` : path);
	const rest = paths.length - shown.length;
	if (rest > 0) return `${shown.join(", ")} and ${rest} more`;
	return shown.length < 2 ? shown.join("") : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}`;
}

// action/src/checkout.ts
/**
* Makes the folders of a trial: what is trained in (the base commit's files with the candidate's mutable files laid over
* them) and what judges it (the base's protected files alone).
*
* Always: a protected file is the base's by construction. Each folder is composed in git's index from tree entries and
* written by git in one go, so no path of a candidate is ever followed through a link; and it holds no `.git`.
*/
function foldersIn(trial) {
	const of = (name) => join(trial, name);
	return {
		trial,
		checkout: of("checkout"),
		trained: of("trained"),
		judge: of("judge"),
		hidden: of("hidden")
	};
}
/** Fetches exactly the two commits; writes no file of theirs. */
async function fetchCommits(request) {
	const { checkout } = foldersIn(request.folder);
	await mkdir(checkout);
	const git = gitAt({
		...request,
		gitDir: join(request.folder, "git"),
		workTree: checkout
	});
	await git.run([
		"init",
		"--quiet",
		"--template="
	]);
	const remote = `${request.serverUrl}/${request.repository}.git`;
	const wanted = [.../* @__PURE__ */ new Set([request.base, request.commit])];
	await git.run([
		"fetch",
		"--quiet",
		"--depth=1",
		"--no-tags",
		"--no-recurse-submodules",
		remote,
		...wanted
	]);
	const changes = parseDiffTree(await git.run([
		"diff-tree",
		"-r",
		"-z",
		"--raw",
		"--no-renames",
		"--no-ext-diff",
		request.base,
		request.commit
	]));
	await git.run(["read-tree", request.base]);
	return {
		git,
		changes,
		protectedPaths: (await pathsOf(git)).filter((path) => !request.isMutable(path)),
		refusal: refusalOf(changes, request.isMutable)
	};
}
/** Writes the base's own files into the checkout, for `trial.setup` to run in. */
async function writeBase({ git }) {
	await git.run([
		"checkout-index",
		"--all",
		"--force"
	]);
}
/**
* What lies in the checkout beside the base's files: the outermost paths of it, relative. Made by `trial.setup`. A folder
* with private files in it is told by its parts.
*/
async function madePaths(fetched, { checkout }, { isPrivate, isMixed }) {
	const files = new Set(await pathsOf(fetched.git));
	const parents = new Set([...files].flatMap(foldersAbove));
	const look = async (folder) => {
		const made = [];
		for (const entry of await readdir(join(checkout, folder), { withFileTypes: true })) {
			const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
			const isOpen = entry.isDirectory() && (parents.has(path) || isMixed(path) && !isPrivate(path));
			if (!isOpen && files.has(path)) continue;
			const parts = isOpen ? await look(path) : [];
			const isTold = isOpen && (parents.has(path) || parts.some(isPrivate));
			for (const part of isTold ? parts : [path]) made.push(part);
		}
		return made;
	};
	return (await look("")).toSorted();
}
/**
* Writes what is trained in and, for an evaluation, what judges it; moves what the set-up made there, and the private
* files out of sight. Removes the git folder.
* @returns why the candidate must not be trained; null when it may
*/
async function writeTrial(fetched, folders, request, made) {
	const { git, changes } = fetched;
	const base = await pathsOf(git);
	const fromSetup = join(folders.trial, "base");
	await rename(folders.checkout, fromSetup);
	for (const folder of [
		folders.checkout,
		folders.judge,
		folders.hidden
	]) await mkdir(folder);
	await write$1(git, folders.judge, base.filter((path) => !request.isMutable(path) && !request.isPrivate(path)));
	await write$1(git, folders.hidden, base.filter((path) => request.isPrivate(path) && !request.isMutable(path)));
	await overlay(git, changes);
	await write$1(git, folders.checkout, (await pathsOf(git)).filter((path) => !request.isPrivate(path)));
	const taken = changes.find(({ path, newMode }) => newMode !== "000000" && made.some((own) => holds(own, path) || holds(path, own)));
	if (taken !== void 0) return `changes ${taken.path}, which the set-up makes`;
	for (const path of made) await move(join(fromSetup, path), join(request.isPrivate(path) ? folders.hidden : folders.checkout, path));
	await rm(fromSetup, {
		recursive: true,
		force: true
	});
	await rm(join(request.folder, "git"), {
		recursive: true,
		force: true
	});
	return null;
}
/** Renames, with the folders above it made where they are not. */
async function move(from, to) {
	await mkdir(dirname(to), { recursive: true });
	await rename(from, to);
}
async function pathsOf(git) {
	return (await git.run(["ls-files", "-z"])).split("\0").filter((path) => path !== "");
}
/** Into git's index alone. A deletion is mode 0; they go first, so that a file may become a folder. */
async function overlay(git, changes) {
	const entries = changes.toSorted((a, b) => a.newMode.localeCompare(b.newMode)).map((change) => `${change.newMode === "000000" ? "0" : change.newMode} ${change.newObject}\t${change.path}\0`);
	await git.run([
		"update-index",
		"-z",
		"--index-info"
	], entries.join(""));
}
async function write$1(git, folder, paths) {
	const list = paths.map((path) => `${path}\0`).join("");
	await git.run([
		"checkout-index",
		"--force",
		`--prefix=${folder}/`,
		"-z",
		"--stdin"
	], list);
}

// action/src/bounds.ts
/**
* What a command may use of the machine, watched while it runs: disk (what it has written, and what is left for others)
* and processes. A command that goes over is ended.
*
* Races: a look comes every second, so a fast writer gets further by what it writes in one; the limit on a single file
* (run-command.ts) and the room that is left over take that up.
*/
/** At most this much is written, and less where the disk has less room. */
const mostBytes = 64 * 1024 ** 3;
/** Left for the rest of the machine. */
const reserveBytes = 512 * 1024 ** 2;
const lookEveryMs = 1e3;
/** Beyond so many files a look stops counting: what is left on the disk is looked at all the same. */
const mostEntries = 2e5;
const reserveFiles = 1e4;
/** @param own the action's environment: an operator may set AUTORESEARCH_MAX_DISK_MB and AUTORESEARCH_MAX_PROCESSES */
async function boundsFor(folder, own) {
	const wanted = Number(own["AUTORESEARCH_MAX_DISK_MB"] ?? NaN) * 1024 ** 2;
	const free = await freeBytes(folder);
	const room = Math.max(free - 2 * reserveBytes, 16 * 1024 ** 2);
	const processes = Number(own["AUTORESEARCH_MAX_PROCESSES"] ?? NaN);
	return {
		diskBytes: Math.min(wanted > 0 ? wanted : mostBytes, room),
		processes: processes > 0 ? Math.floor(processes) : 8192
	};
}
/** Looks until the returned function is called; tells at most once. */
function watchBounds(bounds, place, init, exceeded) {
	let isOver = false;
	let timer = null;
	const look = async () => {
		const why = await overBound(bounds, place, await init).catch(() => null);
		if (isOver) return;
		if (why !== null) return exceeded(why);
		timer = setTimeout(() => void look(), lookEveryMs);
	};
	timer = setTimeout(() => void look(), lookEveryMs);
	return () => {
		isOver = true;
		if (timer !== null) clearTimeout(timer);
	};
}
async function overBound(bounds, place, init) {
	if (init !== null && threadsWith(init, bounds.processes) > bounds.processes) return `started more than ${bounds.processes} processes and threads`;
	const { bavail, bsize, files, ffree } = await statfs(place.scratch);
	if (bavail * bsize < reserveBytes) return "filled the disk";
	if (files > 0 && ffree < reserveFiles) return "filled the disk with files";
	let left = bounds.diskBytes;
	const budget = { entries: mostEntries };
	for (const folder of [...place.writable, place.scratch]) left -= await bytesIn(folder, budget);
	return left < 0 ? `wrote more than ${sizeOf(bounds.diskBytes)}` : null;
}
function sizeOf(bytes) {
	return bytes >= 1024 ** 3 ? `${Math.round(bytes / 1024 ** 3)} GiB` : `${Math.round(bytes / 1024 ** 2)} MiB`;
}
async function freeBytes(folder) {
	const { bavail, bsize } = await statfs(folder);
	return bavail * bsize;
}
/** Blocks in use below a folder. What can't be read counts as nothing. */
async function bytesIn(folder, budget) {
	let bytes = 0;
	const waiting = [folder];
	for (let next = waiting.pop(); next !== void 0 && budget.entries > 0; next = waiting.pop()) try {
		for await (const entry of await opendir(next)) {
			budget.entries -= 1;
			const path = join(next, entry.name);
			if (entry.isDirectory()) waiting.push(path);
			else bytes += ((await lstat(path)).blocks ?? 0) * 512;
		}
	} catch {}
	return bytes;
}
/** Threads in the process namespace of a process; stops counting a little above `enough`. */
function threadsWith(init, enough) {
	const namespace = readlinkSync(`/proc/${init}/ns/pid`);
	let count = 0;
	for (const name of readdirSync("/proc")) {
		if (!/^\d+$/.test(name)) continue;
		try {
			if (readlinkSync(`/proc/${name}/ns/pid`) === namespace) count += readdirSync(`/proc/${name}/task`).length;
		} catch {}
		if (count > enough) return count;
	}
	return count;
}

// action/src/bounded-log.ts
/**
* The log file of a command, bounded on disk: its head and its end are kept, the middle of a flood is dropped.
*
* The file is written by the action, never by the command, so that a command cannot fill the disk through it. The end is
* kept in memory until the command is over.
*/
var BoundedLog = class {
	#file;
	#headLimit;
	#endLimit;
	#written = 0;
	#end = [];
	#endBytes = 0;
	#dropped = 0;
	/** @param limitBytes the file never grows beyond this, but for one line that says what was dropped */
	constructor(path, limitBytes) {
		this.#file = openSync(path, "w", 384);
		this.#headLimit = Math.floor(limitBytes / 2);
		this.#endLimit = limitBytes - this.#headLimit;
	}
	write(chunk) {
		const room = this.#headLimit - this.#written;
		if (room > 0) this.#put(chunk.subarray(0, room));
		if (chunk.length > room) this.#keepEnd(chunk.subarray(Math.max(0, room)));
	}
	/** Writes the end and closes the file. Gives the number of bytes that were dropped. */
	close() {
		const end = Buffer.concat(this.#end);
		const kept = end.subarray(Math.max(0, end.length - this.#endLimit));
		this.#dropped += end.length - kept.length;
		if (this.#dropped > 0) this.#put(Buffer.from(`\n[… ${this.#dropped} bytes of the log were dropped here …]\n`));
		this.#put(kept);
		closeSync(this.#file);
		return this.#dropped;
	}
	#put(bytes) {
		this.#written += bytes.length;
		for (let offset = 0; offset < bytes.length;) offset += writeSync(this.#file, bytes, offset);
	}
	#keepEnd(bytes) {
		this.#end.push(bytes);
		this.#endBytes += bytes.length;
		while (this.#endBytes - this.#end[0].length >= this.#endLimit) {
			const first = this.#end.shift();
			this.#endBytes -= first.length;
			this.#dropped += first.length;
		}
	}
};

// action/src/leftovers.ts
/**
* Without a sandbox: what a command started and took out of its group (a daemon) is looked for and killed. It is known
* by its environment (a mark that is random, and another for each command), or by the command's folders, in which it works. One that has changed both is
* not found; a sandbox has no such gap.
*/
const rounds = 20;
const pauseMs = 10;
/** Kills until a look finds none. */
async function killLeftovers(env, place) {
	const mark = `AUTORESEARCH_MARK=${env["AUTORESEARCH_MARK"] ?? ""}`;
	for (let round = 0; round < rounds; round++) {
		const found = processes().filter((pid) => pid !== process.pid && isOurs(pid, mark, [place.cwd, place.scratch]));
		if (found.length === 0) return;
		for (const pid of found) try {
			process.kill(pid, "SIGKILL");
		} catch {}
		await new Promise((resolve) => setTimeout(resolve, pauseMs));
	}
}
function processes() {
	try {
		return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number);
	} catch {
		return [];
	}
}
function isOurs(pid, mark, folders) {
	try {
		if (readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(mark)) return true;
		const cwd = readlinkSync(`/proc/${pid}/cwd`).replace(/ \(deleted\)$/, "");
		return folders.some((folder) => holds(folder, cwd));
	} catch {
		return false;
	}
}

// action/src/read-log.ts
const maxLine = 4e3;
const maxTail$1 = 65536;
const maxNumbers = 50;
const maxFrames = 100;
const maxCurve = 200;
const numberPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const pairPattern = /^([A-Za-z][\w.-]{0,63}):\s+(\S+)\s*$/;
const progressPattern = /\bstep[\s:=]+(\d+)\b.{0,200}?\bloss[:=]\s*(\S{1,40}?)(?:\s|$|[|,])/;
const framePattern = /^\s+File "([^"]+)", line (\d+)/;
const exceptionPattern = /^[A-Za-z_][\w.]*(?::\s.*|:)?$/;
const terminalCodes = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\^_])/g;
const controls = /[\u0000-\u0008\u000b-\u001f\u007f\u0080-\u009f]/g;
/** The finite number that a text is, or null: `nan`, `inf`, `1e999` and words are none. */
function parseFinite(text) {
	if (!numberPattern.test(text)) return null;
	const value = Number(text);
	return Number.isFinite(value) ? value : null;
}
function memorySign(line) {
	if (/CUDA out of memory|CUDA error: out of memory|torch(?:\.cuda)?\.OutOfMemoryError|hipErrorOutOfMemory|CUBLAS_STATUS_ALLOC_FAILED/.test(line)) return "CUDA out of memory";
	return /^MemoryError\b|std::bad_alloc|not enough memory: you tried to allocate|Cannot allocate memory|RESOURCE_EXHAUSTED: Out of memory/.test(line) ? "out of memory" : null;
}
/** What a terminal would still show of a line with carriage returns in it: the last part that has text. */
function visiblePart(line) {
	return line.split("\r").map((part) => part.replace(terminalCodes, "").replace(controls, "")).findLast((part) => part.trim() !== "") ?? "";
}
var LogReader = class {
	#metric;
	#line = "";
	#lineOverflow = false;
	#hasRule = false;
	#metricTexts = [];
	#numbers = /* @__PURE__ */ new Map();
	#curve = [];
	#stride = 1;
	#points = 0;
	#lastStep = -1;
	#lastPoint = null;
	#frames = [];
	#failure = null;
	#outOfMemory = null;
	#lastLine = "";
	#tail = "";
	/** @param metric name of the line that carries the result, `val_bpb` */
	constructor(metric) {
		this.#metric = metric;
	}
	/** The next piece of the log. */
	push(chunk) {
		let start = 0;
		for (;;) {
			const end = chunk.indexOf("\n", start);
			this.#append(chunk.slice(start, end < 0 ? void 0 : end));
			if (end < 0) return;
			this.#endLine("\n");
			start = end + 1;
		}
	}
	/** What was read, the unfinished last line included. Call it once, at the end. */
	end() {
		if (this.#line !== "") this.#endLine("");
		const last = this.#lastPoint;
		const curve = [...this.#curve];
		if (last !== null && curve.at(-1)?.[0] !== last[0]) curve.push(last);
		return {
			hasRule: this.#hasRule,
			metricTexts: this.#metricTexts,
			numbers: this.#numbers,
			curve,
			failure: this.#failure,
			outOfMemory: this.#outOfMemory,
			lastLine: this.#lastLine,
			tail: this.#tail.slice(-65536)
		};
	}
	/** Adds to the line in hand. Of an endless progress line (`\r` and no line end) each part is read as it is complete. */
	#append(piece) {
		let start = 0;
		for (;;) {
			const end = piece.indexOf("\r", start);
			const part = piece.slice(start, end < 0 ? void 0 : end);
			this.#grow(part);
			if (end < 0) return;
			this.#readProgress(this.#segment());
			this.#grow("\r");
			start = end + 1;
		}
	}
	/** Keeps the first characters of a segment, and of the line its last two segments: what is shown is the last with text. */
	#grow(part) {
		if (part === "\r") {
			const shown = visiblePart(this.#line);
			this.#line = `${shown}\r`;
			this.#lineOverflow = false;
			return;
		}
		if (this.#lineOverflow) return;
		const room = maxLine - this.#segment().length;
		this.#line += part.slice(0, room);
		this.#lineOverflow = part.length > room;
	}
	#segment() {
		return this.#line.slice(this.#line.lastIndexOf("\r") + 1);
	}
	#endLine(terminator) {
		this.#readProgress(this.#segment());
		const cut = this.#lineOverflow ? " …" : "";
		const line = visiblePart(this.#line);
		this.#line = "";
		this.#lineOverflow = false;
		this.#readLine(line.trimEnd());
		this.#tail += line + cut + terminator;
		if (this.#tail.length > 2 * maxTail$1) this.#tail = this.#tail.slice(-65536);
	}
	#readLine(line) {
		if (line.trim() !== "") this.#lastLine = line;
		if (line === "---") {
			if (!this.#hasRule) this.#metricTexts = [];
			if (this.#metricTexts.length === 0) this.#numbers = /* @__PURE__ */ new Map();
			this.#hasRule = true;
			return;
		}
		this.#readPair(line);
		this.#readTraceback(line.replace(/^\[rank\d+\]:\s?/, ""));
		this.#outOfMemory = memorySign(line) ?? this.#outOfMemory;
	}
	#readPair(line) {
		const match = pairPattern.exec(line);
		if (match === null) {
			if (line.startsWith(`${this.#metric}:`)) this.#keepMetric(line.slice(this.#metric.length + 1).trim());
			return;
		}
		const [, key, text] = match;
		if (key === this.#metric) return this.#keepMetric(text);
		const value = parseFinite(text);
		if (value !== null && (this.#numbers.size < maxNumbers || this.#numbers.has(key))) this.#numbers.set(key, value);
	}
	#keepMetric(text) {
		if (this.#metricTexts.length < 3) this.#metricTexts.push(text);
	}
	#readTraceback(line) {
		if (line.startsWith("Traceback (most recent call last)")) {
			this.#frames = [];
			return;
		}
		const frame = framePattern.exec(line);
		if (frame !== null) {
			this.#frames.push({
				path: frame[1],
				line: Number(frame[2])
			});
			if (this.#frames.length > maxFrames) this.#frames.shift();
			return;
		}
		if (this.#frames.length === 0 || line === "" || /^\s/.test(line)) return;
		if (exceptionPattern.test(line)) this.#failure = {
			exception: line,
			frames: this.#frames
		};
		this.#frames = [];
	}
	/** Keeps every 2ⁿ-th point, so that the points kept are spread over the whole run and stay below 200. */
	#readProgress(segment) {
		if (segment.length > 1e3) return;
		const match = progressPattern.exec(segment);
		if (match === null) return;
		const step = Number(match[1]);
		const loss = parseFinite(match[2]);
		if (loss === null || !Number.isSafeInteger(step) || step <= this.#lastStep) return;
		this.#lastStep = step;
		this.#lastPoint = [step, loss];
		if (this.#points++ % this.#stride !== 0) return;
		this.#curve.push([step, loss]);
		if (this.#curve.length < maxCurve) return;
		this.#curve = this.#curve.filter((_, index) => index % 2 === 0);
		this.#stride *= 2;
	}
};

// action/src/sandbox-process.ts
/**
* What bubblewrap reports of a sandbox: its first process (when it is gone, so is every other), and whether the command in
* it was ever started.
*/
const statusSchema = object({ "child-pid": int().positive() });
const pollMs = 5;
const patienceMs = 3e3;
/** Reads bubblewrap's status. Nobody in the sandbox holds its other end. */
function readReport(status) {
	if (status === null) return {
		init: Promise.resolve(null),
		wasStarted: Promise.resolve(false)
	};
	let text = "";
	return {
		init: new Promise((resolve) => {
			status.on("data", (chunk) => {
				text += chunk.toString();
				const [line, ...rest] = text.split("\n");
				if (rest.length > 0) resolve(processOf(line));
			});
			for (const event of ["close", "error"]) status.on(event, () => resolve(null));
		}),
		wasStarted: new Promise((resolve) => {
			status.on("close", () => resolve(text.includes("\"exit-code\"")));
		})
	};
}
function processOf(line) {
	try {
		return statusSchema.parse(JSON.parse(line))["child-pid"];
	} catch {
		return null;
	}
}
/** Kills it and waits until the kernel has ended it with all of its namespace: it becomes a zombie, or goes, last of all. */
async function waitUntilGone(pid) {
	if (pid === null) return;
	const begin = startOf(pid);
	if (begin === null) return;
	for (let waited = 0; waited < patienceMs; waited += pollMs) {
		if (startOf(pid) !== begin) return;
		try {
			process.kill(pid, "SIGKILL");
		} catch {
			return;
		}
		await new Promise((resolve) => setTimeout(resolve, pollMs));
	}
}
/** When the process started, in the kernel's ticks; null when it is gone or a zombie. Tells it from one with its number. */
function startOf(pid) {
	try {
		const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ");
		return fields[0] === "Z" || fields[0] === "X" ? null : fields[19];
	} catch {
		return null;
	}
}

// action/src/oom-kills.ts
/** How often the kernel has killed for lack of memory: in the action's own control group, where it has one, or at all. */
/** A counter that only grows; 0 where the kernel does not tell. @param root where `/proc` and `/sys` are */
function oomKills(root = "/") {
	return counter(ownGroupEvents(root), "oom_kill") ?? counter(join(root, "proc/vmstat"), "oom_kill") ?? 0;
}
function ownGroupEvents(root) {
	const group = /^0::(.*)$/m.exec(textOf(join(root, "proc/self/cgroup")))?.[1] ?? "/";
	return join(root, "sys/fs/cgroup", group, "memory.events");
}
function counter(file, name) {
	const match = new RegExp(`^${name} (\\d+)$`, "m").exec(textOf(file));
	return match === null ? null : Number(match[1]);
}
function textOf(file) {
	try {
		return readFileSync(file, "utf8");
	} catch {
		return "";
	}
}

// action/src/watchdog.ts
/** A process that outlives the action for as long as it takes to kill the action's command. */
/** Started before the command, so that there is no moment in which the command has none. */
function startWatchdog() {
	const dog = spawn("bash", ["-c", "read -r group && { read -r _; kill -KILL -- \"-$group\"; } 2>/dev/null"], {
		stdio: [
			"pipe",
			"ignore",
			"ignore"
		],
		detached: true,
		env: searchPath()
	});
	dog.on("error", () => {});
	dog.stdin.on("error", () => {});
	dog.unref();
	return {
		watch: (group) => void (group !== void 0 && dog.stdin.write(`${group}\n`)),
		dismiss: () => {
			dog.kill("SIGKILL");
			dog.stdin.destroy();
		}
	};
}
function searchPath() {
	return process.env["PATH"] === void 0 ? {} : { PATH: process.env["PATH"] };
}

// action/src/run-command.ts
/**
* Runs one command of a trial in its own process group, and in the sandbox where there is one.
*
* Always, when `runCommand` has resolved: no process of the group or of the sandbox is left; the log file is closed.
* Whatever ends the action (a kill -9 included), the command ends with it: the sandbox dies with its parent, and a
* watchdog holds the other end of a pipe and kills the group when the pipe breaks.
*
* Races: without a sandbox, a process that has left the group (setsid) may hold the output open for ever, so the end of
* the command is its exit, and the output gets a short grace only; it is looked for by what it was started with
* (leftovers.ts). The group's id may be used again by the system once the group is gone, so it is signalled only while
* its leader is not reaped, or right after.
*/
/** So much of a log is kept: redacting it takes a fraction of a second. */
const logLimitBytes = 16777216;
const timeoutGraceMs = 5e3;
/** Children have to be gone 5 s after a cancellation; a runner leaves 7.5 s between SIGINT and SIGTERM. */
const cancelGraceMs = 3e3;
const outputGraceMs = 500;
const maxTimerMs = 2 ** 31 - 1;
const statusFd = 5;
/** Runs the command to its end, its time-out or its cancellation; never throws for what the command does. */
async function runCommand(request) {
	const file = new BoundedLog(request.logFile, logLimitBytes);
	const reader = new LogReader(request.metric);
	const decoder = new StringDecoder("utf8");
	const watchdog = startWatchdog();
	const killsBefore = oomKills();
	const started = performance.now();
	const child = startGroup(request);
	watchdog.watch(child.pid);
	for (const fd of [request.pipes?.read, request.pipes?.write]) if (fd !== void 0) closeSync(fd);
	const output = request.pipes?.as === "answers" ? child.stderr : child.stdout;
	output?.on("data", (chunk) => {
		file.write(chunk);
		reader.push(decoder.write(chunk));
		request.echo(chunk);
	});
	const { isolates } = request.sandbox;
	const status = child.stdio[statusFd];
	const { init, wasStarted } = readReport(status);
	const said = beginningOf(child.stderr);
	const end = await endOf(child, request, init);
	const seconds = (performance.now() - started) / 1e3;
	signalGroup(child, "SIGKILL");
	if (isolates) await waitUntilGone(await init);
	else await killLeftovers(request.env, request.place);
	for (const stream of [
		output,
		child.stderr,
		status
	]) await lastOutput(stream);
	watchdog.dismiss();
	reader.push(decoder.end());
	file.close();
	const notStarted = isolates && !await wasStarted ? failureOf(end, said()) : null;
	return {
		...end,
		notStarted,
		killedForMemory: oomKills() > killsBefore,
		seconds,
		log: reader.end()
	};
}
/** Why there was no sandbox to start the command in; null where something else ended it. */
function failureOf({ ended, exitCode, signal }, said) {
	if (ended !== "itself" || signal !== null || exitCode === 0) return null;
	return said.trim().split("\n").at(-1) || `exit status ${exitCode ?? "none"}`;
}
/**
* The first of what comes, and no more is kept. Of a command that ran it says nothing: a candidate may have found its way
* to the sandbox's own output.
*/
function beginningOf(stream) {
	let text = "";
	stream?.on("data", (chunk) => text = `${text}${chunk.toString()}`.slice(0, 2e3));
	return () => text;
}
/**
* The shell that starts the command: no core dumps, no file beyond the bound, and in a sandbox (where they are counted
* apart) no more processes than the bound. Root is beyond that last limit: bounds.ts counts, too.
*/
function shellOf({ bounds, sandbox, pipes }) {
	return `${[...[
		"ulimit -c 0",
		`ulimit -f ${Math.ceil(bounds.diskBytes / 1024)}`,
		...sandbox.isolates ? [`ulimit -u ${bounds.processes}`] : []
	].map((limit) => `${limit} 2>/dev/null`), closeAbove(pipes?.as === "asks" ? 4 : 2)].join("; ")}; exec bash -c "$1"${pipes?.as === "answers" ? "" : " 2>&1"}`;
}
/** Descriptors that a runner left open to its children are not for the code under trial. */
function closeAbove(last) {
	return `if [ -d /proc/$$/fd ]; then ${`for fd in /proc/$$/fd/*; do fd=\${fd##*/}; if [ "$fd" -gt ${last} ]; then eval "exec $fd>&-"; fi; done`}; fi`;
}
function startGroup(request) {
	const { command, place, env, sandbox, pipes } = request;
	const argv = [
		"bash",
		"-c",
		shellOf(request),
		"bash",
		command
	];
	const [program, ...args] = sandbox.wrap(argv, place, statusFd);
	return spawn(program, args, {
		cwd: place.cwd,
		env,
		stdio: stdioOf(pipes, sandbox.isolates),
		detached: true
	});
}
function stdioOf(pipes, reports) {
	const status = reports ? "pipe" : "ignore";
	if (pipes === null) return [
		"ignore",
		"pipe",
		status,
		"ignore",
		"ignore",
		status
	];
	const { read, write } = pipes;
	return pipes.as === "answers" ? [
		read,
		write,
		"pipe",
		"ignore",
		"ignore",
		status
	] : [
		"ignore",
		"pipe",
		status,
		read,
		write,
		status
	];
}
async function endOf(child, request, init) {
	let ended = "itself";
	let exceeded = null;
	const timers = [];
	const stop = (why, graceMs) => {
		if (ended !== "itself" && (why !== "cancelled" || ended === "cancelled")) return;
		ended = why;
		signalGroup(child, request.sandbox.isolates ? "SIGKILL" : "SIGTERM");
		timers.push(setTimeout(() => signalGroup(child, "SIGKILL"), graceMs));
	};
	const onAbort = () => stop("cancelled", cancelGraceMs);
	const exit = new Promise((resolve) => {
		child.on("exit", (exitCode, signal) => resolve({
			exitCode,
			signal
		}));
		child.on("error", () => resolve({
			exitCode: null,
			signal: null
		}));
	});
	timers.push(setTimeout(() => stop("timeout", timeoutGraceMs), Math.min(request.timeoutSeconds * 1e3, maxTimerMs)));
	const unwatch = watchBounds(request.bounds, request.place, init, (why) => {
		exceeded ??= why;
		stop("bound", 0);
	});
	request.signal.addEventListener("abort", onAbort, { once: true });
	if (request.signal.aborted) onAbort();
	const { exitCode, signal } = await exit;
	request.signal.removeEventListener("abort", onAbort);
	unwatch();
	for (const timer of timers) clearTimeout(timer);
	return {
		ended,
		exceeded,
		exitCode,
		signal
	};
}
/** Takes the last of the output, for a short while only. */
async function lastOutput(stream) {
	if (stream === null || stream.closed) return;
	await new Promise((resolve) => {
		const timer = setTimeout(resolve, outputGraceMs);
		stream.once("close", () => {
			clearTimeout(timer);
			resolve();
		});
	});
	stream.destroy();
}
function signalGroup(child, signal) {
	if (child.pid === void 0) return;
	try {
		process.kill(-child.pid, signal);
	} catch {}
}

// src/domain/secrets.ts
/**
* What a secret looks like. Secrets have no place in what a log becomes on GitHub, in the bot's own log, nor in a proposal. Every text that comes
* from a log goes through `redact` before it is cut (half a token would not be recognised). Patterns match what a secret
* looks like, so they err on the side of too much.
*
* Always: linear in the length of the text, whoever wrote it (a candidate's log is 16 MB at most, and is read here). So no pattern reads far in
* vain from more than a few places of a run; and every repetition is bounded, since the engine keeps each step of one,
* and throws when they are too many.
*/
const hidden = "***";
const patterns = [
	/gh[pousr]_[A-Za-z0-9._-]{16,32768}/g,
	/github_pat_\w{20,32768}/g,
	/sk-ant-[A-Za-z0-9_-]{6,32768}/g,
	/\bsk-[A-Za-z0-9_-]{16,32768}/g,
	/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
	/xox[a-z]-[A-Za-z0-9-]{10,32768}/g,
	/\bhf_[A-Za-z0-9]{20,32768}/g,
	/\bAIza[A-Za-z0-9_-]{30,32768}/g,
	/(?<=(?<![\w-])(?:[\w-]{0,32}-)?)eyJ[\w-]{8,32768}\.[\w-]{4,32768}(?:\.[\w-]{0,32768}){1,3}/g
];
const pemBegin = "-----BEGIN ";
const pemEnd = /-----END [A-Z0-9 ]{1,64}-----/g;
/** The text without PEM blocks. A block whose head is missing is hidden from the start, one without an end to the end. */
function hidePem(text) {
	const kept = [];
	let start = 0;
	let begin = text.indexOf(pemBegin);
	for (const end of text.matchAll(pemEnd)) {
		if (begin >= 0 && begin < end.index) kept.push(text.slice(start, begin));
		kept.push(hidden);
		start = end.index + end[0].length;
		if (begin >= 0 && begin < start) begin = text.indexOf(pemBegin, start);
	}
	kept.push(...begin < 0 ? [text.slice(start)] : [text.slice(start, begin), hidden]);
	return kept.join("");
}
/**
* The text with everything that looks like a secret replaced by `***`.
* @param secrets values known to be secret (the action's own token); shorter than 8 characters they are ignored, or they
* would blot out ordinary words.
*/
function redact(text, secrets) {
	let clean = text;
	for (const secret of secrets) if (secret.length >= 8) clean = clean.replaceAll(secret, hidden);
	for (const pattern of patterns) clean = clean.replace(pattern, hidden);
	return hidePem(clean);
}

// action/src/redact-reading.ts
/** What was read of a log, without secrets: before anything of it is shortened, since half a token would not be recognised. */
/** All but the tail, which `logTail` redacts. A number whose name holds a secret is dropped. */
function redactReading(log, secrets) {
	const clean = (text) => redact(text, secrets);
	const { failure } = log;
	return {
		...log,
		metricTexts: log.metricTexts.map(clean),
		numbers: new Map([...log.numbers].filter(([name]) => clean(name) === name)),
		lastLine: clean(log.lastLine),
		failure: failure && {
			exception: clean(failure.exception),
			frames: failure.frames.map(({ path, line }) => ({
				path: clean(path),
				line
			}))
		}
	};
}

// action/src/commands.ts
/** Runs the commands of one trial: each with the trial's environment, bounds, log file and a part of the job's log. */
/** A scratch of its own for each command, so that none finds what another left. */
async function makePlace(folder, job) {
	const scratch = join(folder, `scratch-${job.name}`);
	for (const part of ["tmp", "home"]) await mkdir(join(scratch, part), { recursive: true });
	return {
		cwd: job.cwd,
		writable: job.writable,
		readable: job.readable,
		hidden: job.hidden,
		scratch
	};
}
/** The log of a command, as the action keeps it. */
function logFileOf(folder, name) {
	return join(folder, `${name}.log`);
}
/** Runs it to its end; see `runCommand`. What it prints is shown in the job's log as it comes. */
async function runJob(bench, job) {
	const { inputs, own, log, folder, machine, sandbox } = bench;
	const { spec } = inputs;
	const place = await makePlace(folder, job);
	const bounds = await boundsFor(folder, own);
	const isShown = job.pipes?.as !== "answers";
	if (isShown) log.beginGroup(`${job.name}: ${job.command}`);
	const foreign = isShown ? log.beginForeign() : null;
	try {
		const result = await runCommand({
			command: job.command,
			place,
			env: {
				...candidateEnv(own, {
					id: inputs.trial,
					budgetSeconds: spec.budgetSeconds,
					mark: `${bench.mark}-${job.name}`,
					isolates: sandbox.isolates,
					temp: join(place.scratch, "tmp"),
					home: machine.home
				}),
				...job.variables
			},
			sandbox,
			timeoutSeconds: job.timeoutSeconds ?? spec.timeoutSeconds,
			bounds,
			metric: spec.metric,
			logFile: logFileOf(folder, job.name),
			echo: foreign?.write ?? (() => {}),
			signal: job.signal ?? bench.signal,
			pipes: job.pipes ?? null
		});
		foreign?.end();
		if (isShown) log.endGroup();
		if (isShown) log.say(`${job.name} ${endPhrase$1(result)} after ${formatClock(result.seconds)}`);
		return {
			...result,
			log: redactReading(result.log, bench.secrets)
		};
	} catch (error) {
		foreign?.end();
		if (isShown) log.endGroup();
		throw error;
	}
}
function endPhrase$1({ ended, exceeded, exitCode, signal }) {
	if (ended === "bound") return `was ended because it ${exceeded}`;
	if (ended !== "itself") return ended === "timeout" ? "was ended by its time-out" : "was cancelled";
	return signal === null ? `ended with exit status ${exitCode}` : `was ended by ${signal}`;
}

// action/src/conclude.ts
/**
* From what happened to a measurement. Pure: every rule of what counts as a result is here.
*
* Always: without exactly one finite number after the first `---` there is no value; a value is never guessed. A text in
* the place of the value that can be none is `unknown`, for a person to look at: the training ended well.
*/
/** How the training command ended when it gave nothing to evaluate; null when it ran to its end without error. */
function trainingFailure({ training, changed }, spec, surface) {
	return brokenRule(changed) ?? commandFailure(training, spec, surface, "");
}
/** How the trial ended. */
function conclude(evidence, spec, surface) {
	const failed = trainingFailure(evidence, spec, surface);
	if (failed !== null) return failed;
	const evaluation = evidence.evaluation;
	if (evaluation === null) return readMetric(evidence.training.log, spec, surface);
	return evaluationFailure(evaluation, spec, surface) ?? readMetric(evaluation.judge.log, spec, surface);
}
/** Where the candidate's side broke first, that is why; a candidate that is only ended when all is over has not broken. */
function evaluationFailure({ judge, served }, spec, surface) {
	const failure = commandFailure(judge, spec, surface, "the evaluate command ");
	if (failure === null || failure.status !== "crash" || served === null || served.ended === "cancelled") return failure;
	return commandFailure(served, spec, surface, "the serve command ") ?? failure;
}
function brokenRule(changed) {
	if (changed.length === 0) return null;
	return without("rejected", `changed ${listOf(changed)} while running, outside the mutable surface`);
}
function without(status, because, at = null) {
	return {
		status,
		value: null,
		because,
		at
	};
}
function commandFailure(result, spec, surface, who) {
	if (result.ended === "cancelled") return without("cancelled", "cancelled while running");
	if (result.ended === "timeout") {
		const after = `timeout after ${formatClock(spec.timeoutSeconds)}`;
		return without("timeout", who === "" ? after : `${after} in the evaluate command`);
	}
	if (result.notStarted !== null) return without("crash", shorten(`${who}could not be started: ${result.notStarted}`));
	if (result.ended === "bound") return without("crash", `${who}${result.exceeded ?? "used too much"}: ended`);
	if (result.exitCode === 0) return null;
	if (isFastFail(result)) return without("crash", shorten(`${who}${fastFailPhrase(result.log)}`), null);
	if (signalOf(result) !== null) return without("crash", shorten(`${who}${exitPhrase(result)}`));
	return crash(result.log, surface, who, exitPhrase(result));
}
/** A shell and a sandbox tell a signal as 128 and its number. */
function signalOf({ exitCode, signal }) {
	return signal ?? signalNames.get((exitCode ?? 0) - 128) ?? null;
}
function exitPhrase(result) {
	const { exitCode, killedForMemory, log } = result;
	const name = signalOf(result);
	if (name === "SIGKILL") return killedForMemory ? "out of memory: killed by the kernel" : "killed (SIGKILL), often for lack of memory";
	if (name === "SIGXFSZ") return "wrote a file beyond the limit (SIGXFSZ)";
	if (name === "SIGABRT" && log.outOfMemory !== null) return log.outOfMemory;
	if (name !== null) return `killed by ${name}`;
	if (exitCode === null) return "could not be started";
	return log.lastLine === "" ? `exit status ${exitCode}` : `exit status ${exitCode}: ${log.lastLine.trim()}`;
}
/** Those by which a program dies of itself or of the system, never of a plain `exit`. */
const signalNames = new Map([
	"SIGILL",
	"SIGTRAP",
	"SIGABRT",
	"SIGBUS",
	"SIGFPE",
	"SIGKILL",
	"SIGSEGV",
	"SIGTERM",
	"SIGXFSZ"
].map((name) => [constants$1.signals[name], name]));
/** karpathy's script prints the one word and leaves with 1 when the loss is not a number, or explodes. */
function isFastFail({ exitCode, log }) {
	return exitCode === 1 && /(?:^|\s)FAIL$/.test(log.lastLine.trimEnd()) && log.failure === null;
}
function fastFailPhrase({ curve }) {
	const last = curve.at(-1);
	return `FAIL: the training gave up, as it does when the loss explodes or is no number${last === void 0 ? "" : ` (last seen: loss ${last[1]} at step ${last[0]})`}`;
}
/** The value that the log gives, or what it is not to give one. */
function readMetric(log, spec, surface) {
	const { metric, direction } = spec;
	const texts = log.hasRule || spec.evaluate !== null ? log.metricTexts : [];
	if (texts.length > 1) return without("rejected", `printed more than one ${metric} line: which one counts is not for us to guess`);
	const [text] = texts;
	if (text === void 0) {
		const otherwise = `finished without a ${metric} line${spec.evaluate === null && !log.hasRule ? ` after a line ---` : ""}`;
		return log.failure !== null && log.lastLine.endsWith(log.failure.exception) ? crash(log, surface, "", otherwise) : without("crash", otherwise);
	}
	const value = parseFinite(text);
	if (value === null || direction === "lower" && value <= 0) return without("unknown", `${metric} is ${text === "" ? "empty" : shorten(text, 100)}`);
	return {
		status: "measured",
		value,
		because: `${metric} ${shorten(text, 100)}`,
		at: null
	};
}
/** A crash, told by the last traceback where there is one and by `otherwise` where there is none. */
function crash(log, surface, who, otherwise) {
	const { failure } = log;
	if (failure === null) return without("crash", shorten(`${who}${log.outOfMemory ?? otherwise}`));
	const message = shorten(failure.exception);
	const places = failure.frames.flatMap((frame) => {
		const path = pathInside(frame.path, surface.roots);
		const isLine = Number.isSafeInteger(frame.line) && frame.line >= 1;
		return path === null || !isLine ? [] : [{
			path,
			line: frame.line
		}];
	});
	const mutable = places.findLast((place) => surface.isMutable(place.path));
	const place = mutable ?? places.at(-1);
	const what = memoryPhrase(failure.exception, log.outOfMemory) ?? message;
	return without("crash", shorten(place === void 0 ? `${who}${what}` : `${who}${shorten(what, 200)} at ${place.path}:${place.line}`), mutable === void 0 ? null : {
		...mutable,
		message
	});
}
/** A traceback that is about memory is told in the same words every time. */
function memoryPhrase(exception, sign) {
	return sign !== null && /memory|alloc/i.test(exception) ? sign : null;
}
/** The path relative to the folder it is in, or null for a file elsewhere. */
function pathInside(path, roots) {
	for (const root of roots) {
		const relative = posix.relative(root, isAbsolute(path) ? path : posix.join(root, path));
		if (relative !== "" && !relative.startsWith("..") && relative.length <= 500) return relative;
	}
	return null;
}
function shorten(text, limit = 300) {
	return text.length > limit ? `${text.slice(0, limit - 1)}…` : text;
}

// action/src/read-only.ts
/**
* What a sandbox binds read-only over itself.
*
* Always: no link is bound. A bind follows it, and where it leads to nothing, or to what is not shown, there would be no
* sandbox at all. A candidate may replace one: that is found afterwards, by the name it leads to.
*/
const mostBinds = 1e3;
/** Each protected file is read-only by itself, so that the training may write beside it; of very many, hashes must do. */
function readOnlyParts(checkout, visible, made) {
	return withoutLinks(checkout, [...visible.length <= mostBinds ? visible : [], ...made]);
}
/** Where those of the paths are that are no links. */
function withoutLinks(root, paths) {
	return paths.map((path) => join(root, path)).filter((file) => !isLink(file));
}
/** Those of the paths that are links. */
function linksAmong(root, paths) {
	return paths.filter((path) => isLink(join(root, path)));
}
function isLink(file) {
	return lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

// action/src/evaluation.ts
/**
* The evaluation: a protected command, in a folder with protected files alone and a sandbox that the candidate's code
* never was in, prints the metric. Where `trial.serve` is given the candidate's model answers it from a sandbox of its
* own, through two pipes; nothing else is between the two.
*
* Always: the candidate's processes see neither the evaluator's memory, files, output and environment, nor what
* `trial.private` names. Without a sandbox that is a matter of manners: all run as one user.
*/
/**
* Puts what judges in the place of what was trained in, so that what the set-up made (a virtual environment knows its
* own path) is where it was made; what was trained in is at `folders.trained` from then on.
* @param secret the private files that were put out of sight: what else lies there is not ours
*/
async function layOut(folders, made, secret) {
	await openForMoving(folders.checkout, made);
	await rename(folders.checkout, folders.trained);
	await rename(folders.judge, folders.checkout);
	for (const path of made) {
		const [from, to] = [join(folders.trained, path), join(folders.checkout, path)];
		await move(from, to);
		await symlink(await readlink(to).catch(() => to), from);
	}
	for (const path of secret) await move(join(folders.hidden, path), join(folders.checkout, path));
}
/**
* Runs the evaluate command, and with it the serve command, in what `layOut` made.
* @param outside what `trial.private` names outside the checkout
*/
async function evaluate(bench, folders, made, outside) {
	const { spec } = bench.inputs;
	const judge = {
		name: "evaluation",
		command: spec.evaluate,
		cwd: folders.checkout,
		writable: [],
		readable: [
			folders.checkout,
			folders.trained,
			...outside
		],
		hidden: [],
		variables: { AUTORESEARCH_TRAINED: folders.trained }
	};
	if (spec.serve === null) return {
		judge: await runJob(bench, judge),
		served: null
	};
	const { questions, answers } = await openPipes(folders.trial);
	const over = new AbortController();
	const serving = runJob(bench, {
		name: "serving",
		command: spec.serve,
		cwd: folders.trained,
		writable: [],
		readable: [folders.trained, ...withoutLinks(folders.checkout, made)],
		hidden: outside,
		pipes: {
			as: "answers",
			read: questions.read,
			write: answers.write
		},
		timeoutSeconds: Number.POSITIVE_INFINITY,
		signal: AbortSignal.any([bench.signal, over.signal])
	});
	return {
		judge: await runJob(bench, {
			...judge,
			variables: {
				...judge.variables,
				AUTORESEARCH_ANSWERS_FD: "3",
				AUTORESEARCH_QUESTIONS_FD: "4"
			},
			pipes: {
				as: "asks",
				read: answers.read,
				write: questions.write
			}
		}).finally(() => over.abort()),
		served: await serving
	};
}
/** Two pipes with no process of ours between their ends. Each end is closed here once its command has it. */
async function openPipes(folder) {
	const [questions, answers] = [join(folder, "questions"), join(folder, "answers")];
	await promisify(execFile)("mkfifo", [
		"-m",
		"600",
		questions,
		answers
	]);
	return {
		questions: openEnds(questions),
		answers: openEnds(answers)
	};
}
/** Opening one end waits for the other, but not for one that opens both; so the ends are plain, blocking ones. */
function openEnds(fifo) {
	const both = openSync(fifo, constants.O_RDWR);
	const ends = {
		read: openSync(fifo, constants.O_RDONLY),
		write: openSync(fifo, constants.O_WRONLY)
	};
	closeSync(both);
	unlinkSync(fifo);
	return ends;
}

// action/src/guard.ts
/**
* Tells what is not as it was before anything of the candidate ran: protected files, private ones, what the set-up made.
*
* Always: a file is named as the repository knows it, wherever it lies meanwhile.
*/
async function guardOver({ checkout, hidden, judge }, guarded) {
	const { visible, secret, standing, outsideNow } = guarded;
	const outside = await hashFiles(checkout, await outsideNow());
	const seen = await hashFiles(checkout, visible);
	const unseen = await hashFiles(hidden, secret);
	const judging = new Set(await filesBelow(judge));
	const identities = await identitiesOf(checkout, standing);
	const changedIn = async (root, before) => changedPaths(before, await hashFiles(root, [...before.keys()], before));
	const changedOutside = async () => changedPaths(outside, await hashFiles(checkout, await outsideNow(), outside));
	const within = async (secretsAt) => [
		...await changedIn(checkout, seen),
		...await changedIn(secretsAt, unseen),
		...changedPaths(identities, await identitiesOf(checkout, standing))
	];
	const planted = async () => (await filesBelow(judge)).filter((file) => !judging.has(file));
	return {
		count: seen.size + unseen.size + outside.size,
		changedByTraining: async () => [
			...await within(hidden),
			...(await planted()).map((file) => relative(dirname(judge), file)),
			...await changedOutside()
		],
		changedInCheckout: async () => within(checkout),
		changedByEvaluation: async () => [...await within(checkout), ...await changedOutside()]
	};
}

// action/src/keep-log.ts
/** The whole log of a trial, for the artifact: what its commands printed, redacted, one after the other. */
/** In the order of the trial; those that did not run have no file. */
const parts = [
	"training",
	"serving",
	"evaluation"
];
/** Where the log is now, in the runner's temporary folder; null when nothing was printed, or it can't be kept. */
async function keepLog({ inputs, folder, log, secrets }) {
	const texts = [];
	for (const name of parts) {
		const text = await readFile(logFileOf(folder, name), "utf8").catch(() => "");
		if (text !== "") texts.push(`=== ${name} ===\n${redact(text, secrets)}`);
	}
	if (texts.length === 0) return null;
	const file = join(inputs.RUNNER_TEMP, `autoresearch-${inputs.trial.replaceAll(":", "-")}.log`);
	try {
		await writeFile(file, texts.join("\n"), { mode: 384 });
		return file;
	} catch (error) {
		log.say(`the log was not kept: ${error instanceof Error ? error.message : String(error)}`);
		return null;
	}
}

// action/src/log-tail.ts
/** The end of a log as people read it: whole lines, no secrets, bounded. */
const maxTail = 12e3;
/** The last lines of the text, redacted, at most 12 000 characters. A first line that was cut is dropped. */
function logTail(text, secrets) {
	const clean = redact(text.toWellFormed(), secrets).trimEnd();
	if (clean.length <= maxTail) return clean;
	const end = clean.slice(-12e3);
	const lineEnd = end.indexOf("\n");
	return (lineEnd < 0 || lineEnd > maxTail / 2 ? end : end.slice(lineEnd + 1)).toWellFormed();
}

// action/src/measurement-of.ts
/** What is handed over of a trial. Nothing in it holds one of the bench's secrets. */
function measurementOf(trial, { inputs, sandbox, secrets }) {
	const { ending, evidence, protectedCount } = trial;
	const training = evidence?.training ?? null;
	const { spec } = inputs;
	const hide = (text, limit) => redact(text, secrets).slice(0, limit);
	const common = {
		version: 1,
		trial: inputs.trial,
		commit: inputs.commit,
		base: inputs.base,
		because: hide(ending.because, 1e3),
		seconds: Number(((training?.seconds ?? 0) + (evidence?.evaluation?.served?.seconds ?? 0)).toFixed(3)),
		metrics: metricsOf(evidence, spec.metric, ending.value),
		exitCode: training?.exitCode ?? null,
		signal: training?.signal ?? null,
		sandbox: sandbox.name,
		protectedFiles: {
			count: protectedCount,
			changed: (evidence?.changed ?? []).slice(0, 50).map((path) => hide(path, 200))
		},
		runner: inputs.RUNNER_NAME.slice(0, 200),
		curve: (training?.log.curve ?? []).map(([step, loss]) => [step, loss]),
		logTail: logTail(shownLog(evidence), secrets),
		at: ending.at === null ? null : {
			...ending.at,
			message: hide(ending.at.message, 500)
		}
	};
	const { status, value } = ending;
	if (status !== "measured") return {
		...common,
		status
	};
	if (value === null) throw new Error("a measured trial without a value");
	return {
		...common,
		status,
		value
	};
}
/** The numbers of the summary block; of the metric itself only the value that counts. */
function metricsOf(evidence, metric, value) {
	const numbers = [...evidence?.training.log.numbers ?? [], ...evidence?.evaluation?.judge.log.numbers ?? []];
	return Object.fromEntries([...value === null ? [] : [[metric, value]], ...numbers]);
}
function shownLog(evidence) {
	if (evidence === null) return "";
	const { training, evaluation } = evidence;
	const served = evaluation?.served?.log.tail ?? "";
	return [
		training.log.tail,
		...served === "" ? [] : [`\n=== serve ===\n${served}`],
		...evaluation === null ? [] : [`\n=== evaluate ===\n${evaluation.judge.log.tail}`]
	].join("");
}

// action/src/outside.ts
/** What a trial names beside its mutable files: files to be protected, files to be hidden from the candidate. */
function outsideOf(spec, own) {
	const home = homeOf(own);
	const protectedGlobs = spec.protect.map((pattern) => expandHome(pattern, home));
	const secret = spec.private.map((pattern) => expandHome(pattern, home));
	return {
		protectedGlobs,
		shown: protectedGlobs.map(fixedPart),
		privateGlobs: secret.filter((pattern) => pattern.startsWith("/")),
		privateInside: secret.filter((pattern) => !pattern.startsWith("/"))
	};
}
/**
* The files and folders of `trial.private` outside the checkout, and what links in them lead to: for the evaluate command
* alone. Looked for after the set-up, which may make them.
*/
async function hiddenOutside({ privateGlobs }) {
	const [single, globs] = [false, true].map((isGlob) => privateGlobs.filter((pattern) => import_picomatch.default.scan(pattern).isGlob === isGlob));
	const named = [...single, ...await matchingFiles(globs)].filter((path) => existsSync(path));
	return [.../* @__PURE__ */ new Set([...named, ...(await Promise.all(named.map(linkedFrom))).flat()])];
}
/** Where links lead from here to, if not to what is in here anyway. */
async function linkedFrom(path) {
	const links = (await filesThrough(path)).filter(({ isLinked }) => isLinked);
	const own = realOf(path);
	return links.map((link) => realOf(link.path)).filter((end) => !holds(own, end));
}
/**
* @param inside the protected files of the repository, and what the set-up made
* @throws Error when a pattern of `trial.protect` or `trial.private` matches no file: what it was to keep, it would not
*/
async function expectFiles(outside, inside) {
	const { protectedGlobs, privateGlobs, privateInside } = outside;
	const missing = async (pattern) => (await matchingFiles([pattern])).length === 0;
	for (const pattern of protectedGlobs) if (await missing(pattern)) throw nothingAt("protect", pattern, "on this runner", "the training reads");
	for (const pattern of privateGlobs) if (await missing(pattern)) throw nothingAt("private", pattern, "on this runner", "the evaluation reads");
	for (const pattern of privateInside) {
		if (inside.some(privateSurface([pattern]).isPrivate)) continue;
		throw nothingAt("private", pattern, "of the repository that is not mutable", "the evaluation reads");
	}
}
function nothingAt(key, pattern, where, what) {
	return /* @__PURE__ */ new Error(`\`trial.${key}\` names ${pattern}, and no file ${where} matches it: nothing would be ${key === "protect" ? "protected" : "hidden"}. Put there what ${what} (or let \`trial.setup\` make it), or take the pattern out. Nothing was trained.`);
}

// action/src/bubblewrap.ts
/**
* The command line of bubblewrap for one command. Pure but for looking at what kinds of files there are, and where links lead.
*
* Always: own user, PID, IPC, UTS, network and cgroup namespace; no capabilities and no way to new ones; the whole file
* system is read-only but the place's writable folders and its scratch; it dies with the action.
*
* Later binds lie on top of earlier ones, so the order is: the system, what is hidden of it, home, what is shown, what is
* hidden of that, the trial's own folders, single files that are hidden.
*/
const merged = [
	"/bin",
	"/sbin",
	"/lib",
	"/lib32",
	"/lib64",
	"/libx32"
];
/**
* Of `/proc` what a process of uid 0 may write by ownership alone. A runner that is root maps to 0 inside, too; the
* kernel asks for no capability there, and `core_pattern` would run a program outside.
*/
const kernelSettings = [
	"sys",
	"bus",
	"irq",
	"fs",
	"acpi",
	"scsi",
	"mtrr",
	"pressure",
	"sysrq-trigger"
];
/** Everything before `--`, but for the descriptor that the status goes to. */
function bubblewrapArguments(machine, place, extras) {
	const { system, shown, hiddenFolders } = machine;
	const hidden = {
		inSystem: placesOf(hiddenFolders, system),
		inShown: placesOf(hiddenFolders, shown)
	};
	const files = placesOf([...machine.hiddenFiles, ...place.hidden], [
		...system,
		...merged.filter(isRealFolder),
		...shown
	]);
	const tmp = join(place.scratch, "tmp");
	const size = extras.boundsSharedMemory ? ["--size", String(Math.floor(totalmem() / 4))] : [];
	return [
		[
			"--unshare-all",
			"--unshare-user",
			"--die-with-parent",
			"--new-session"
		],
		extras.forbidsNesting ? ["--disable-userns"] : [],
		[
			"--cap-drop",
			"ALL",
			"--hostname",
			"trial"
		],
		system.flatMap((path) => [
			"--ro-bind",
			path,
			path
		]),
		merged.flatMap(systemFolder),
		hidden.inSystem.flatMap((folder) => ["--tmpfs", folder]),
		["--proc", "/proc"],
		kernelSettings.flatMap((name) => roBind(join("/proc", name))),
		["--dev", "/dev"],
		machine.devices.flatMap((device) => [
			"--dev-bind-try",
			device,
			device
		]),
		[
			...size,
			"--tmpfs",
			"/dev/shm",
			"--remount-ro",
			"/dev"
		],
		[
			"--ro-bind-try",
			"/sys",
			"/sys"
		],
		[
			"--bind",
			tmp,
			"/tmp",
			"--bind",
			tmp,
			"/var/tmp",
			"--bind",
			join(place.scratch, "home"),
			machine.home
		],
		shown.flatMap((path) => [
			"--ro-bind",
			path,
			path
		]),
		hidden.inShown.flatMap((folder) => ["--tmpfs", folder]),
		place.writable.flatMap((path) => [
			"--bind",
			path,
			path
		]),
		place.readable.flatMap((path) => [
			"--ro-bind",
			path,
			path
		]),
		files.flatMap((path) => covered(path, machine.emptyFile)),
		[...hidden.inSystem, ...hidden.inShown].flatMap((folder) => ["--remount-ro", folder]),
		[
			"--remount-ro",
			"/",
			"--chdir",
			place.cwd
		]
	].flat();
}
/**
* Under which names these are seen inside, where the roots are bound at their own: a root that is a link shows what lies
* where it leads to, and a link in a root may lead to another.
*/
function placesOf(paths, roots) {
	const ends = roots.map((root) => [root, realOf(root)]);
	const places = paths.flatMap((path) => {
		const real = realOf(path);
		return ends.filter(([, end]) => holds(end, real)).map(([root, end]) => join(root, relative(end, real)));
	});
	return [...new Set(places)];
}
function covered(path, emptyFile) {
	return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false ? [
		"--tmpfs",
		path,
		"--remount-ro",
		path
	] : [
		"--ro-bind",
		emptyFile,
		path
	];
}
function isRealFolder(path) {
	return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
function roBind(path) {
	return existsSync(path) ? [
		"--ro-bind",
		path,
		path
	] : [];
}
/** `/lib` is a link into `/usr` on most systems, and a folder on others. */
function systemFolder(path) {
	const status = lstatSync(path, { throwIfNoEntry: false });
	if (status === void 0) return [];
	return status.isSymbolicLink() ? [
		"--symlink",
		readlinkSync(path),
		path
	] : [
		"--ro-bind",
		path,
		path
	];
}

// action/src/sandbox.ts
/**
* How the code under trial is kept apart from the rest of the machine: by bubblewrap where the machine can, or not at all.
*
* Always: a trial that requires a sandbox never runs without one; where there is none, the reason is in its name, which
* the check shows.
*/
const probeMs = 1e4;
/** From bubblewrap 0.8 on; 0.7; before that. The first that works is taken. */
const versions = [
	{
		forbidsNesting: true,
		boundsSharedMemory: true
	},
	{
		forbidsNesting: false,
		boundsSharedMemory: true
	},
	{
		forbidsNesting: false,
		boundsSharedMemory: false
	}
];
/** For what is not kept apart, and why. */
function noSandbox(why) {
	return {
		name: `none (${why})`.slice(0, 100),
		isolates: false,
		wrap: (argv) => argv
	};
}
/**
* The sandbox for a trial: tried out before it is trusted.
* @throws Error with the remedy when one is required and cannot be had.
*/
async function chooseSandbox(wish, machine, place) {
	if (wish === "off") return noSandbox("switched off");
	const found = await findBubblewrap(machine, place);
	if (typeof found !== "string") return found;
	if (wish === "auto") return noSandbox(found);
	throw new Error(`\`sandbox: required\` cannot be kept on this runner: ${found}. ${remedyFor(found)} Nothing was run.`);
}
/** The sandbox, or why there is none. */
async function findBubblewrap(machine, place) {
	if (process.platform !== "linux") return `bubblewrap is for Linux, this is ${process.platform}`;
	const program = programOnPath("bwrap", machine.path);
	if (program === null) return "bwrap is not installed";
	let reason = "";
	for (const extras of versions) {
		const wrap = (argv, where, statusFd) => [
			program,
			...bubblewrapArguments(machine, where, extras),
			"--json-status-fd",
			String(statusFd),
			"--",
			...argv
		];
		const failure = await tryOut(wrap(["true"], place, 2), machine.path);
		if (failure === null) return {
			name: "bubblewrap",
			isolates: true,
			wrap
		};
		reason = failure;
	}
	return `bwrap does not work: ${reason}`;
}
/** Null when it works, else the last line of what it said. */
async function tryOut([program, ...args], path) {
	return new Promise((resolve) => {
		execFile(program, args, {
			env: { PATH: path },
			timeout: probeMs,
			cwd: "/"
		}, (error, _out, said) => {
			const lines = said.split("\n").filter((line) => line.startsWith("bwrap:"));
			resolve(error === null ? null : lines.at(-1)?.slice(7, 80) ?? `exit status ${error.code ?? "unknown"}`);
		});
	});
}
function remedyFor(reason) {
	if (reason.includes("not installed")) return "Install it (`apt-get install bubblewrap`, `dnf install bubblewrap`).";
	if (/uid map|namespace|Permission denied|Operation not permitted/.test(reason)) return "Unprivileged user namespaces are forbidden here: allow them (Ubuntu 24.04: an AppArmor profile for bwrap, or `sysctl kernel.apparmor_restrict_unprivileged_userns=0`; in a container: allow `unshare`, `mount` and an unmasked /proc).";
	return "Run runner-setup/doctor.sh on the machine.";
}
function programOnPath(name, path) {
	for (const folder of path.split(delimiter)) {
		const file = join(folder, name);
		try {
			if (folder.startsWith("/")) {
				accessSync(file, constants.X_OK);
				return file;
			}
		} catch {}
	}
	return null;
}

// action/src/setup.ts
/**
* `trial.setup`: gets what the training needs before the sandbox shuts (`uv sync --frozen`). It runs in the base's own
* files, before the candidate's are laid over them, with the network and without the token.
*/
/** The set-up of a trial; where none is said, a project of uv that is trained by `uv run` gets its environment. */
function setupCommand(spec, protectedPaths) {
	if (spec.setup !== null) return spec.setup;
	return /^uv run\b/.test(spec.command) && protectedPaths.includes("uv.lock") ? "uv sync --frozen" : null;
}
/** False when the job was cancelled meanwhile. @throws Error when it fails: that is the repository's fault, not the candidate's */
async function runSetup(bench, command, folder) {
	const { log, own, signal, inputs } = bench;
	const job = {
		name: "set-up",
		cwd: folder,
		writable: [folder],
		readable: [],
		hidden: []
	};
	const place = await makePlace(bench.folder, job);
	const bounds = await boundsFor(bench.folder, own);
	log.beginGroup(`set-up: ${command}`);
	const foreign = log.beginForeign();
	const result = await runCommand({
		command,
		place,
		env: {
			...setupEnv(own),
			AUTORESEARCH_TRIAL: inputs.trial,
			AUTORESEARCH_MARK: `${bench.mark}-set-up`
		},
		sandbox: noSandbox("it is the repository's own, and needs the network and the caches"),
		timeoutSeconds: setupLimitSeconds,
		bounds,
		metric: inputs.spec.metric,
		logFile: logFileOf(bench.folder, "set-up"),
		echo: foreign.write,
		signal,
		pipes: null
	}).finally(() => {
		foreign.end();
		log.endGroup();
	});
	if (signal.aborted) return false;
	if (result.ended === "itself" && result.exitCode === 0) return true;
	const said = redactReading(result.log, bench.secrets).lastLine.trim().slice(-500);
	throw new Error(`the set-up command \`${command}\` failed (${endPhrase(result)}): ${said}. Nothing was trained.`);
}
function endPhrase({ ended, exceeded, exitCode, signal }) {
	if (ended === "timeout") return `ended after ${setupLimitSeconds / 60} minutes`;
	if (ended === "bound") return `ended because it ${exceeded ?? "used too much"}`;
	return signal === null ? `exit status ${exitCode ?? "none"}` : `killed by ${signal}`;
}

// action/src/train.ts
/**
* Mode `train`: runs one trial and hands over its measurement. Read this first.
*
* Always: the token is used for the fetch and never reaches the candidate; the measurement is made here, outside the
* candidate's process; whatever the candidate does, the result is a measurement (a crash is one too). An Error means that
* there is nothing to report: wrong inputs, no network, a set-up that fails, a sandbox that is not there.
*/
/** Carries out the trial. Resolves with no process of it left and its files removed, but for the log. */
async function train(inputs, context) {
	const own = inputs.token === "" ? [] : [inputs.token, basicCredentials(inputs.token)];
	for (const secret of own) context.log.mask(secret);
	const secrets = [.../* @__PURE__ */ new Set([...own, ...secretValues(context.environment)])];
	const folder = await realpath(await mkdtemp(join(inputs.RUNNER_TEMP, "autoresearch-")));
	try {
		const outside = outsideOf(inputs.spec, context.environment);
		const bench = await makeBench(inputs, context, folder, outside, secrets);
		return {
			measurement: measurementOf(await runTrial(bench, outside), bench),
			logFile: await keepLog(bench)
		};
	} finally {
		await removeAll(folder).catch((error) => context.log.say(error.message));
	}
}
async function makeBench(inputs, context, folder, outside, secrets) {
	const { environment, log, signal } = context;
	const emptyFile = join(folder, "empty");
	await writeFile(emptyFile, "");
	const machine = readMachine(environment, folder, outside.shown, emptyFile);
	const probe = join(folder, "probe");
	await mkdir(probe);
	const place = await makePlace(folder, {
		name: "probe",
		cwd: probe,
		writable: [probe],
		readable: [],
		hidden: []
	});
	return {
		inputs,
		own: environment,
		log,
		signal,
		folder,
		machine,
		sandbox: await chooseSandbox(inputs.spec.sandbox, machine, place),
		mark: randomUUID(),
		secrets
	};
}
/** The steps of a trial, in order. Each may end it. */
async function runTrial(bench, outside) {
	const { spec } = bench.inputs;
	const folders = foldersIn(bench.folder);
	const isMutable = mutableMatcher(spec.mutable);
	const surfaceOfPrivate = privateSurface(outside.privateInside);
	const { isPrivate } = surfaceOfPrivate;
	const request = {
		...requestOf(bench),
		isMutable,
		isPrivate
	};
	const fetched = await fetchInGroup(bench, request);
	if (fetched === null) return ended("cancelled", "cancelled before the training began", 0);
	const { protectedPaths } = fetched;
	if (fetched.refusal !== null) return ended("rejected", fetched.refusal, protectedPaths.length);
	const made = await setUp(bench, fetched, folders, surfaceOfPrivate);
	if (made === null) return ended("cancelled", "cancelled before the training began", protectedPaths.length);
	const refusal = await writeTrial(fetched, folders, request, made);
	if (refusal !== null) return ended("rejected", refusal, protectedPaths.length);
	await expectFiles(outside, [...protectedPaths, ...made]);
	const stock = await takeStock({
		folders,
		visible: protectedPaths.filter((path) => !isPrivate(path)),
		shared: made.filter((path) => !isPrivate(path)),
		outside,
		isEvaluated: spec.evaluate !== null
	});
	const { guard } = stock;
	bench.log.say(`${guard.count} protected files hashed; sandbox: ${bench.sandbox.name}`);
	const training = await runJob(bench, {
		name: "training",
		command: spec.command,
		cwd: folders.checkout,
		writable: [folders.checkout],
		readable: readOnlyParts(folders.checkout, stock.visible, stock.shared),
		hidden: stock.hidden
	});
	if (training.notStarted !== null) throw new Error(`the sandbox could not be made: ${training.notStarted}. Nothing was trained.`);
	const surface = {
		roots: [folders.checkout, folders.trained],
		isMutable
	};
	const trained = {
		training,
		evaluation: null,
		changed: await guard.changedByTraining()
	};
	const trial = (evidence, ending) => ({
		ending,
		evidence,
		protectedCount: guard.count
	});
	const failure = trainingFailure(trained, spec, surface);
	if (failure !== null || spec.evaluate === null) return trial(trained, failure ?? conclude(trained, spec, surface));
	try {
		const evidence = await evaluated(bench, stock, training);
		return trial(evidence, conclude(evidence, spec, surface));
	} catch (error) {
		return trial(trained, {
			status: "crash",
			value: null,
			because: `could not be evaluated: ${error instanceof Error ? error.message : String(error)}`.slice(0, 300),
			at: null
		});
	}
}
async function takeStock({ outside, isEvaluated, ...things }) {
	const { folders, visible, shared } = things;
	const secret = (await filesBelow(folders.hidden)).map((file) => relative(folders.hidden, file));
	const guard = await guardOver(folders, {
		visible,
		secret,
		standing: isEvaluated ? shared : linksAmong(folders.checkout, shared),
		outsideNow: () => matchingFiles([...outside.protectedGlobs, ...outside.privateGlobs])
	});
	return {
		...things,
		secret,
		hidden: await hiddenOutside(outside),
		guard
	};
}
async function evaluated(bench, stock, training) {
	const { folders, shared, secret, hidden, guard } = stock;
	await layOut(folders, shared, secret);
	const broken = await guard.changedInCheckout();
	if (broken.length > 0) return {
		training,
		evaluation: null,
		changed: broken
	};
	return {
		training,
		evaluation: await evaluate(bench, folders, shared, hidden),
		changed: await guard.changedByEvaluation()
	};
}
function requestOf({ inputs, folder, signal }) {
	return {
		serverUrl: inputs.GITHUB_SERVER_URL,
		repository: inputs.GITHUB_REPOSITORY,
		token: inputs.token,
		base: inputs.base,
		commit: inputs.commit,
		folder,
		signal
	};
}
function ended(status, because, protectedCount) {
	return {
		ending: {
			status,
			value: null,
			because,
			at: null
		},
		evidence: null,
		protectedCount
	};
}
/** Null when the job was cancelled meanwhile. */
async function fetchInGroup({ log, inputs, signal }, request) {
	log.beginGroup(`Fetch ${inputs.commit.slice(0, 7)} and its base ${inputs.base.slice(0, 7)}`);
	try {
		return await fetchCommits(request);
	} catch (error) {
		if (signal.aborted) return null;
		throw error;
	} finally {
		log.endGroup();
	}
}
/** What the set-up made; null when the job was cancelled meanwhile. @throws Error when the set-up fails */
async function setUp(bench, fetched, folders, secret) {
	const command = setupCommand(bench.inputs.spec, fetched.protectedPaths);
	if (command === null) return [];
	await writeBase(fetched);
	if (!await runSetup(bench, command, folders.checkout)) return null;
	return madePaths(fetched, folders, secret);
}

// action/src/main.ts
/**
* Entry of the action. Exit status 0 whenever there is a measurement to hand over (a crash is one) or a check was posted;
* 1, with a sentence, when there is not.
*/
const log = openJobLog(1);
const cancelled = new AbortController();
for (const signal of [
	"SIGINT",
	"SIGTERM",
	"SIGHUP"
]) process.on(signal, () => cancelled.abort());
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
async function runMode(log) {
	const inputs = parseInputs(process.env);
	if (inputs.mode === "train") return runTrain(inputs, log);
	const { check, status, url } = await report(inputs, log.say);
	log.say(`posted ${check.name} on ${check.head_sha.slice(0, 7)}: ${check.output.title} ${url}`);
	const { title, summary } = check.output;
	appendStepSummary(process.env["GITHUB_STEP_SUMMARY"], pageOf(title, status, summary));
}
async function runTrain(inputs, log) {
	const trained = await train(inputs, {
		environment: process.env,
		log,
		signal: cancelled.signal
	});
	const json = encodeInAnyCase(trained.measurement);
	const measurement = parseMeasurement(json);
	writeOutputs(process.env["GITHUB_OUTPUT"], {
		measurement: json,
		digest: digestOf(json),
		log: trained.logFile ?? ""
	});
	const title = titleOf(measurement, inputs.spec.frontier);
	log.say(`${inputs.spec.metric}: ${title}`);
	if (measurement.status !== "measured") log.notice(title);
	const { metric, frontier } = inputs.spec;
	const summary = summaryOf(measurement, {
		metric,
		frontier,
		runUrl: runUrlOf(inputs)
	});
	appendStepSummary(process.env["GITHUB_STEP_SUMMARY"], pageOf(title, measurement.status, summary));
}
try {
	await runMode(log);
} catch (error) {
	log.error(error instanceof Error ? error.message : String(error));
	process.exitCode = 1;
}
await log.flush();
process.exit();

export {  };