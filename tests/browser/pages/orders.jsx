// A customer's orders, by the official hooks and nothing else.
import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import {
  MotiaStreamProvider,
  useStreamEventHandler,
  useStreamGroup,
  useStreamItem,
} from '@motiadev/stream-client-react';

const query = new URLSearchParams(location.search);
const stream = query.get('stream') ?? 'orders';
const group = query.get('group');
const token = query.get('token');
const protocols = token ? ['Authorization', token] : undefined;

function Orders({ choose }) {
  const { data, event } = useStreamGroup({ streamName: stream, groupId: group });
  return (
    <>
      <ul id="orders">
        {data.map(({ id, item, status }) => (
          <li key={id} onClick={() => choose(id)}>
            {item} is {status}
          </li>
        ))}
      </ul>
      <Told id="notes" event={event} type="note" />
    </>
  );
}

function Told({ id, event, type }) {
  const [told, setTold] = useState([]);
  useStreamEventHandler({ event, type, listener: (data) => setTold((all) => [...all, data]) }, []);
  return (
    <ol id={id}>
      {told.map(({ message }, n) => (
        <li key={n}>{message}</li>
      ))}
    </ol>
  );
}

function Order({ id }) {
  const { data, event } = useStreamItem({ streamName: stream, groupId: group, id });
  return (
    <>
      <p id="order">{data ? `${data.item} is ${data.status}` : 'nothing'}</p>
      <Told id="errors" event={event} type="error" />
    </>
  );
}

function Shop() {
  const [chosen, choose] = useState(query.get('id'));
  return (
    <MotiaStreamProvider address={location.origin.replace('http', 'ws')} protocols={protocols}>
      <Orders choose={choose} />
      <Order id={chosen} />
    </MotiaStreamProvider>
  );
}

// Strict: everything is mounted, unmounted and mounted again.
createRoot(document.getElementById('root')).render(
  <StrictMode>
    <Shop />
  </StrictMode>,
);
