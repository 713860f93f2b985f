// Server-sent events over fetch: EventSource cannot send a token along.

/** The lines of a body, as they come. */
async function* linesOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop();
    yield* lines;
  }
}

/** {event, data, id} of each event of a response, until it ends. Data is one line, as this server writes it. */
export async function* eventsOf(response) {
  let event = {};
  for await (const line of linesOf(response.body)) {
    if (line === '') {
      if (event.data !== undefined) yield event;
      event = {};
    } else if (!line.startsWith(':')) {
      const [, field, value] = /^([^:]*):? ?(.*)$/.exec(line);
      event[field] = value;
    }
  }
}
