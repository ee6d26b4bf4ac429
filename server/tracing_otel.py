"""Traces by OpenTelemetry, sent to an OTLP collector. Imported only where they are switched on (extra ``otel``)."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from server import __version__
from server.tracing import Attributes, Kind, Span, Tracing

_KINDS = {"internal": SpanKind.INTERNAL, "server": SpanKind.SERVER, "client": SpanKind.CLIENT}
_WAIT = 10  # seconds for a collector to take what it is sent
_CARRIER = TraceContextTextMapPropagator()  # no baggage: what clients put there is no business of the model server


class _OtelSpan(Span):
    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self.recording = span.is_recording()

    def set(self, attributes: Attributes) -> None:
        self._span.set_attributes(attributes)

    def named(self, name: str) -> None:
        self._span.update_name(name)

    def failed(self, kind: str) -> None:
        self._span.set_attribute("error.type", kind)
        self._span.set_status(Status(StatusCode.ERROR))

    def headers(self) -> dict[str, str]:
        found: dict[str, str] = {}
        _CARRIER.inject(found, trace.set_span_in_context(self._span))
        return found

    def end(self) -> None:
        if self._span.is_recording():
            self._span.end()


class OtelTracing(Tracing):
    """Makes spans of one provider, which no other library's spans go to."""

    def __init__(self, exporter: SpanExporter, *, sampling: float = 1.0, processor: type = BatchSpanProcessor) -> None:
        """Spans go to ``exporter``. ``sampling``: share of the requests that came without a trace."""
        resource = Resource.create({"service.name": "letheward", "service.version": __version__})
        self._provider = TracerProvider(resource=resource, sampler=ParentBased(TraceIdRatioBased(sampling)))
        self._provider.add_span_processor(processor(exporter))
        self._tracer = self._provider.get_tracer("letheward", __version__)

    @contextmanager
    def span(
        self,
        name: str,
        *,
        kind: Kind = "internal",
        attributes: Attributes | None = None,
        parent: Mapping[str, str] | None = None,
    ) -> Iterator[Span]:
        """As ``Tracing.span``; an exception marks the span as failed, by its class alone."""
        context = _CARRIER.extract(parent) if parent else None
        with self._tracer.start_as_current_span(
            name, context, _KINDS[kind], attributes, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield _OtelSpan(span)
            except Exception as error:
                _OtelSpan(span).failed(type(error).__name__)
                raise

    def begin(self, name: str, *, kind: Kind = "internal", attributes: Attributes | None = None) -> Span:
        """As ``Tracing.begin``."""
        return _OtelSpan(self._tracer.start_span(name, None, _KINDS[kind], attributes))

    def past(self, name: str, seconds: Sequence[tuple[str, float]]) -> None:
        """As ``Tracing.past``."""
        if not trace.get_current_span().is_recording():
            return
        begins = time.time_ns() - sum(_ns(took) for _, took in seconds)
        for what, took in seconds:
            ends = begins + _ns(took)
            self._tracer.start_span(name + what, start_time=begins).end(ends)
            begins = ends

    def current(self) -> Span:
        """As ``Tracing.current``."""
        return _OtelSpan(trace.get_current_span())

    def inject(self) -> dict[str, str]:
        """As ``Tracing.inject``."""
        return self.current().headers()

    def close(self) -> None:
        """Send what waits, and stop. Blocking."""
        self._provider.shutdown()


def to_collector(endpoint: str, sampling: float) -> OtelTracing:
    """Traces for the OTLP/HTTP collector at ``endpoint``, such as http://localhost:4318."""
    exporter = OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces", timeout=_WAIT)
    return OtelTracing(exporter, sampling=sampling)


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)
