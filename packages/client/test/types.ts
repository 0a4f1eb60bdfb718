/** What the types of a session say about a game; checked by the compiler, never run. */

import type { Session } from "@riposte/client";
import { Add, Chat, idle } from "../../server/test/game.ts";
import type { Game } from "../../server/test/game.ts";

export async function typesOf(session: Session<Game>): Promise<void> {
  session.advance(0, idle);
  session.advance(0, { ...idle, aim: 1.5 });
  // @ts-expect-error -- the input has no such field
  session.advance(0, { ...idle, jump: true });
  // @ts-expect-error -- the whole input is wanted
  session.advance(0, { up: true });
  // @ts-expect-error -- an angle is a number
  session.advance(0, { ...idle, aim: "north" });

  for (const player of session.view.players) {
    const x: number = player.x;
    const owner: number = player.owner;
    // @ts-expect-error -- the state has no such field
    const armour: number = player.armour;
    void [x, owner, armour];
  }
  const mine: number | undefined = session.view.players.mine?.health;
  // @ts-expect-error -- the game has no such state
  const rockets: unknown = session.view.rockets;
  void [mine, rockets];

  session.send(Chat, { text: "hello" });
  // @ts-expect-error -- a text is a string
  session.send(Chat, { text: 5 });
  // @ts-expect-error -- a call is no message
  session.send(Add, { a: 1, b: 2 });
  const { sum } = await session.call(Add, { a: 1, b: 2 });
  const total: number = sum;
  // @ts-expect-error -- the reply has no such field
  const { difference } = await session.call(Add, { a: 1, b: 2 });
  void [total, difference];
  session.onMessage(Chat, ({ text }) => text.length);
  session.onCall(Add, ({ a, b }) => ({ sum: a + b }));
  // @ts-expect-error -- the reply has no such field
  session.onCall(Add, () => ({ difference: 1 }));
}
