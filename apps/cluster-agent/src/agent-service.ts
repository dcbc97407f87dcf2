/** What the agent answers to the manager on one connection. */
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { fail, type Log } from '@rfo/foundation';
import { type AgentHello, agentPaths, longestAgentLine, parseAgentSettings, parseAgentWelcome, parseIssuedToken } from '@rfo/schema';
import { type CreateService, readBody } from '@rfo/tunnel';
import type { Kept } from './secret.ts';
import type { ServiceAccount } from './service-account.ts';

export type AgentServiceInput = {
  /** Made anew for each connection. */
  readonly hello: () => AgentHello;
  readonly account: Pick<ServiceAccount, 'credentials' | 'onChange'>;
  /** Keeps what the manager gives; rejects where it cannot. */
  readonly keep: (change: Partial<Kept>) => Promise<void>;
  readonly onWelcome: (cluster: string) => void;
  readonly log: Log;
};

/** The connection counts when the manager has said that it takes the agent; `accepted` rejects with agent-refused. */
export function agentService({ hello, account, keep, onWelcome, log }: AgentServiceInput): CreateService {
  return ({ replace }) => {
    const verdict = Promise.withResolvers<void>();
    const routes: Readonly<Record<string, (body: unknown, stream: ServerHttp2Stream) => Promise<void>>> = {
      [`POST ${agentPaths.welcome}`]: async (body, stream) => {
        const welcome = parseAgentWelcome(body);
        if (welcome.accepted) {
          onWelcome(welcome.cluster);
          verdict.resolve();
        }
        // After the answer: the manager is to know that it was understood.
        else stream.once('close', () => verdict.reject(fail('agent-refused', { problem: welcome.message, reason: welcome.reason })));
      },
      [`POST ${agentPaths.token}`]: async (body) => {
        await keep({ token: parseIssuedToken(body) });
        log.info('the manager has given another token');
      },
      [`POST ${agentPaths.settings}`]: async (body) => {
        const settings = parseAgentSettings(body);
        await keep({ settings });
        log.info('the manager has told where it is', { servers: settings.servers.join(', ') });
      },
      [`POST ${agentPaths.move}`]: async () => {
        log.info('the manager sends this agent to another replica');
        replace();
      },
    };
    const serve = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void => {
      const route = `${headers[':method']} ${headers[':path']}`;
      if (route === `GET ${agentPaths.hello}`) {
        introduce(stream, hello(), account);
        return;
      }
      const answer = routes[route];
      if (answer === undefined) {
        respond(stream, 404);
        return;
      }
      readBody(stream, { limit: longestAgentLine })
        .then((text) => answer(JSON.parse(text), stream))
        .then(
          () => respond(stream, 200),
          (error: unknown) => {
            log.warn('what the manager asks for cannot be done', { route, error });
            respond(stream, 500);
          },
        );
    };
    return { serve, accepted: verdict.promise };
  };
}

/** Says who it is, and goes on to tell its credentials when they change. */
function introduce(stream: ServerHttp2Stream, hello: AgentHello, account: AgentServiceInput['account']): void {
  stream.respond({ ':status': 200, 'content-type': 'application/x-ndjson' });
  const tell = (line: unknown): void => void stream.write(`${JSON.stringify(line)}\n`);
  tell(hello);
  const end = account.onChange(() => tell({ type: 'credentials', credentials: account.credentials() }));
  stream.once('close', end);
}

function respond(stream: ServerHttp2Stream, status: number): void {
  if (!stream.destroyed && !stream.closed && !stream.headersSent) stream.respond({ ':status': status }, { endStream: true });
}
