/** What a route gives back, and the errors of GitHub's API with its words and statuses. */

export type Answer = {
  readonly status: number;
  /** Sent as JSON; undefined: no body. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

export const documentation = "https://docs.github.com/rest";

export function ok(body: unknown, headers?: Record<string, string>): Answer {
  return headers === undefined ? { status: 200, body } : { status: 200, body, headers };
}

/** 201, with the `Location` that GitHub gives where the body has a `url`. */
export function created(body: { readonly [key: string]: unknown }): Answer {
  return typeof body["url"] === "string"
    ? { status: 201, body, headers: { location: body["url"] } }
    : { status: 201, body };
}

export function noContent(): Answer {
  return { status: 204 };
}

export type FieldError = {
  readonly resource?: string;
  readonly field?: string;
  readonly code?: string;
  readonly message?: string;
  readonly value?: unknown;
};

/** An answer that says why not. Thrown anywhere below a route. */
export class ApiError extends Error {
  readonly status: number;
  readonly errors: readonly (FieldError | string)[] | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    message: string,
    more: { errors?: readonly (FieldError | string)[]; headers?: Record<string, string> } = {},
  ) {
    super(message);
    this.status = status;
    this.errors = more.errors;
    this.headers = more.headers ?? {};
  }

  answer(): Answer {
    const { location } = this.headers;
    const body = {
      message: this.message,
      ...(this.status === 301 || this.status === 307 ? { url: location } : {}),
      ...(this.errors === undefined ? {} : { errors: this.errors }),
      documentation_url: documentation,
      status: String(this.status),
    };
    return { status: this.status, body, headers: this.headers };
  }
}

export function notFound(message = "Not Found"): ApiError {
  return new ApiError(404, message);
}

/** 301: what is asked for is at another place of the API, `/repos/…`. Who answers the request makes it an address. */
export function movedTo(place: string): ApiError {
  return new ApiError(301, "Moved Permanently", { headers: { location: place } });
}

/** 422 "Validation Failed" with what is wrong of which field. */
export function validationFailed(...errors: FieldError[]): ApiError {
  return new ApiError(422, "Validation Failed", { errors });
}

/** 422 with a sentence alone, as the git data routes answer. */
export function unprocessable(message: string): ApiError {
  return new ApiError(422, message);
}
