// What Motia writes into a project.
import { EventHandler, ApiRouteHandler, ApiResponse, MotiaStream, CronHandler } from 'motia';

declare module 'motia' {
  interface FlowContextStateStreams {
    'orders': MotiaStream<{ id: string; state: 'new' | 'paid' }>;
  }

  interface StreamAuthContext {
    userId: string;
  }

  interface ApiRequest<TBody = unknown> {
    user?: { id: string };
  }

  interface HandlersByName {
    'Create Order': ApiRouteHandler<
      { item: string },
      ApiResponse<202, { id: string; state: 'new' | 'paid' }>,
      { topic: 'order.created'; data: { item: string } }
    >;
    'charge': EventHandler<{ item: string }, never>;
    'nightly': CronHandler<{ topic: 'order.created'; data: { item: string } }>;
  }
}
