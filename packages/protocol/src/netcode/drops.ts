/** Why datagrams were dropped, counted. Hostile input ends here and nowhere else. */
export class NetcodeDrops {
  /** No netcode packet starts like this, or one of this type has another size. */
  malformed = 0;
  /** A type that this side never receives, or not in its present state. */
  unexpected = 0;
  /** From a path that nobody is connected or connecting on. */
  unknownPath = 0;
  /** Received before, or too old to tell. */
  replayed = 0;
  /** Sealed with another key, or altered. */
  forged = 0;
  /** More handshakes than are opened in this time; see `HandshakeBudget`. */
  rateLimited = 0;
  wrongVersion = 0;
  wrongProtocol = 0;
  tokenExpired = 0;
  /** The private part of a connect token was not sealed with our key. */
  tokenForged = 0;
  tokenMalformed = 0;
  /** A token for other servers. */
  wrongServer = 0;
  /** A token that another address used, or one whose session a newer token displaced. */
  tokenReused = 0;
  /** The path or the client id is connected, and the token is not newer. */
  alreadyConnected = 0;
  /** A challenge response with a challenge that was not for this request. */
  challengeForged = 0;
  /** Too many handshakes under way. */
  pendingFull = 0;
  /** Denials sent because all seats are taken. */
  serverFull = 0;

  get total(): number {
    let sum = 0;
    for (const count of Object.values(this)) sum += Number(count);
    return sum;
  }
}
