import type { ByteWriter } from "@riposte/wire";
import type { NetworkError } from "../network-error.ts";
import { closeCodeOf, writeClose } from "./close-frame.ts";

/** The CONNECTION_CLOSE goes in this many packets: nothing acknowledges it. */
const CLOSE_PACKETS = 3;

/** How a connection ended, and what is still to be said of it. */
export class Farewell {
  /** `undefined`: this side closed in good order. */
  readonly error: NetworkError | undefined;
  /** CONNECTION_CLOSE packets still to be sent. */
  left: number;
  readonly #application: boolean;
  readonly #code: number;
  readonly #reason: string;

  private constructor(
    error: NetworkError | undefined,
    left: number,
    application: boolean,
    code: number,
    reason: string,
  ) {
    this.error = error;
    this.left = left;
    this.#application = application;
    this.#code = code;
    this.#reason = reason;
  }

  /** The application's own end, with its code. */
  static orderly(code: number, reason: string): Farewell {
    return new Farewell(undefined, CLOSE_PACKETS, true, code, reason);
  }

  /** An error, told by its code, or by one of the wire's own. */
  static failed(error: NetworkError, code: number = closeCodeOf(error.code)): Farewell {
    return new Farewell(error, CLOSE_PACKETS, false, code, error.message);
  }

  /** Nobody is left to be told. */
  static silent(error: NetworkError | undefined): Farewell {
    return new Farewell(error, 0, false, 0, "");
  }

  write(writer: ByteWriter): void {
    this.left--;
    writeClose(writer, this.#application, this.#code, this.#reason);
  }
}
