/** The head of the OpenAPI document; the rest comes from the routes. */
import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";

export const OPENAPI: NonNullable<FastifyDynamicSwaggerOptions["openapi"]> = {
  openapi: "3.1.0",
  info: {
    title: "Riposte balancer",
    version: "1",
    description: "Where to play, and the token to get in; for nodes, operators and players.",
  },
  tags: [
    { name: "players", description: "What players and matchmakers call" },
    { name: "nodes", description: "What game servers call" },
    { name: "operators", description: "What operators and their tools call" },
    { name: "agones", description: "What Agones calls" },
    { name: "health", description: "What load balancers before this one call" },
  ],
  components: {
    securitySchemes: {
      token: {
        type: "http",
        scheme: "bearer",
        bearerFormat: "JWT",
        description: "Of the trusted issuer, with the scopes in `scope`",
      },
      nodeKey: { type: "http", scheme: "bearer", bearerFormat: "JWT", description: "Signed with a node key" },
      session: { type: "http", scheme: "bearer", description: "`session` of the answer to the registration" },
    },
  },
};
