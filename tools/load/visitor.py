"""A visitor without a browser: Streamlit's own protocol, as its page speaks it, over one websocket.

    enter(page) ─► the script runs ─► deltas: what stands on the page ─► drag(k), show(file): the script runs again

A browser a visitor would measure the browsers: fifty of them need more than a server's two cores.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from hiercodec.ui.frame import state

XSRF = "_streamlit_xsrf"
PATIENCE = 600.0
SHIPPED = "shipped-"


class Gone(Exception):
    """The server closed the connection or did not answer."""


@dataclass
class Shown:
    """What became of a file: seconds to its first picture and to the first whole view; the pictures that came."""

    first: float
    whole: float
    pictures: list[np.ndarray] = field(default_factory=list)


class Visitor:
    """One session. Use as `async with`; `trouble` holds error boxes and exceptions that the page showed."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.trouble: list[str] = []
        self._session, self._page, self._query = "", "", ""
        self._widgets: dict[str, WidgetState] = {}
        self._ids: dict[str, tuple[str, str]] = {}  # what an element is → (its id, its fragment)
        self._finished, self._scrubber, self._urls = 0, "", None
        self._pictures: list[bytes] = []
        self._shown: list[float] = []  # when each picture of a work in progress came
        self._timers: dict[str, asyncio.Task[None]] = {}
        self._news = asyncio.Event()
        self._gone = ""

    async def __aenter__(self) -> Visitor:
        self.cookie = await asyncio.to_thread(_cookie, self.address)
        host = self.address.removeprefix("http://")
        self._socket = await connect(
            f"ws://{host}/_stcore/stream",
            subprotocols=["streamlit", self.cookie],  # pyright: ignore[reportArgumentType]
            additional_headers={"Cookie": f"{XSRF}={self.cookie}"},
            origin=self.address,  # pyright: ignore[reportArgumentType]
            max_size=None,
            open_timeout=PATIENCE,
            ping_timeout=None,
        )
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._reader.cancel()
        await self._socket.close()

    async def enter(self, page: str = "", query: str = "") -> float:
        """Open a page; seconds until all of it is there."""
        self._page, self._query = page, query
        began, before = time.monotonic(), self._finished
        await self._run()
        await self._until(lambda: self._finished > before)
        return time.monotonic() - began

    async def drag(self, k: int) -> float:
        """Let go of the bar at step k; seconds until the page has followed."""
        identity, fragment = self._ids["scrubber"]
        self._widgets[identity] = WidgetState(id=identity, json_value=json.dumps({"k": k}))
        began, before = time.monotonic(), self._finished
        await self._run(fragment)
        await self._until(lambda: self._finished > before)
        return time.monotonic() - began

    async def show(self, name: str, data: bytes) -> Shown:
        """Upload a file on Explore and wait for its pictures."""
        pills = self._ids["photograph"][0]
        if pills not in self._widgets:
            chosen = WidgetState(id=pills)
            chosen.string_array_value.data.append(state.UPLOAD)
            self._widgets[pills] = chosen
            before = self._finished
            await self._run()
            await self._until(lambda: self._finished > before)
        self._urls = None
        request = BackMsg()
        request.file_urls_request.request_id = uuid.uuid4().hex
        request.file_urls_request.file_names.append(name)
        request.file_urls_request.session_id = self._session
        await self._send(request)
        await self._until(lambda: self._urls is not None)
        urls: Any = self._urls
        await asyncio.to_thread(_put, self.address + urls.upload_url, self.cookie, name, data)
        uploader = self._ids["uploader"][0]
        uploaded = WidgetState(id=uploader)
        info = uploaded.file_uploader_state_value.uploaded_file_info.add(
            name=name, size=len(data), file_id=urls.file_id
        )
        info.file_urls.CopyFrom(urls)
        self._widgets[uploader] = uploaded
        self._pictures.clear()
        self._shown.clear()
        began, old, troubles = time.monotonic(), self._scrubber, len(self.trouble)
        await self._run()

        def there() -> bool:
            return self._scrubber not in (old, "") or len(self.trouble) > troubles

        await self._until(there)
        whole = time.monotonic() - began
        if len(self.trouble) > troubles:
            raise Gone(self.trouble[-1])
        await self._until(lambda: bool(self._pictures and self._shown))
        return Shown(self._shown[0] - began, whole, [_pixels(data) for data in self._pictures])

    async def _run(self, fragment: str = "", automatic: bool = False) -> None:
        message = BackMsg()
        client = message.rerun_script
        client.query_string, client.page_name = self._query, self._page
        client.fragment_id, client.is_auto_rerun = fragment, automatic
        client.context_info.timezone, client.context_info.url = "UTC", f"{self.address}/{self._page}"
        client.widget_states.widgets.extend(self._widgets.values())
        await self._send(message)

    async def _send(self, message: BackMsg) -> None:
        try:
            await self._socket.send(message.SerializeToString())
        except ConnectionClosed as error:
            raise Gone(str(error)) from None

    async def _until(self, there: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not there():
            if self._gone:
                raise Gone(self._gone)
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), max(0.1, deadline - time.monotonic()))
            except asyncio.TimeoutError:
                raise Gone(f"nothing for {PATIENCE:.0f} s") from None

    async def _read(self) -> None:
        try:
            async for data in self._socket:
                message = ForwardMsg()
                message.ParseFromString(data)
                self._take(message)
                self._news.set()
            self._gone = "the server closed the connection"
        except ConnectionClosed as error:
            self._gone = str(error)
        self._news.set()

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._session = message.new_session.initialize.session_id
            if not message.metadata.run.fragment_ids:
                self._stop_timers(list(self._timers))
        elif kind == "script_finished":
            self._finished += message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN
        elif kind == "file_urls_response":
            self._urls = message.file_urls_response.file_urls[0]
        elif kind == "auto_rerun":
            rerun = message.auto_rerun
            self._stop_timers([rerun.fragment_id])
            self._timers[rerun.fragment_id] = asyncio.create_task(self._again(rerun.interval, rerun.fragment_id))
        elif kind == "stop_auto_rerun":
            self._stop_timers(message.stop_auto_rerun.fragment_ids)
        elif kind == "delta" and message.delta.HasField("new_element"):
            self._element(message.delta.new_element, message.delta.fragment_id)

    async def _again(self, interval: float, fragment: str) -> None:
        while True:
            await asyncio.sleep(interval)
            await self._run(fragment, automatic=True)

    def _stop_timers(self, fragments: Any) -> None:
        for fragment in fragments:
            if fragment in self._timers:
                self._timers.pop(fragment).cancel()

    def _element(self, element: Any, fragment: str) -> None:
        kind = element.WhichOneof("type")
        if kind == "button_group" and state.UPLOAD in [option.content for option in element.button_group.options]:
            self._ids["photograph"] = element.button_group.id, fragment
        elif kind == "file_uploader":
            self._ids["uploader"] = element.file_uploader.id, fragment
        elif kind == "imgs":
            self._pictures += [_inside(picture.url) for picture in element.imgs.imgs]
            self._shown.append(time.monotonic())
        elif kind == "bidi_component":
            self._component(element.bidi_component, fragment)
        elif kind == "exception":
            self.trouble.append(f"{element.exception.type}: {element.exception.message}")
        elif kind == "alert" and element.alert.format == element.alert.ERROR:
            self.trouble.append(element.alert.body)

    def _component(self, component: Any, fragment: str) -> None:
        if not component.component_name.endswith(("hiercodec_scrubber", "hiercodec_frames")):
            return
        data = json.loads(component.json or component.mixed.json)
        if component.component_name.endswith("hiercodec_scrubber"):
            self._ids["scrubber"] = component.id, fragment
            self._scrubber = data["id"]
        elif not data["id"].startswith(SHIPPED):
            pictures = [row[0] for name, row in data["pictures"].items() if name in ("original", "frames") and row]
            self._pictures += [base64.b64decode(picture) for picture in pictures]


def get(address: str) -> float:
    """Seconds that an address takes."""
    began = time.monotonic()
    _get(address, "")
    return time.monotonic() - began


def _get(address: str, cookie: str) -> bytes:
    request = urllib.request.Request(address, headers={"Cookie": f"{XSRF}={cookie}"})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return answer.read()


def _inside(url: str) -> bytes:
    """What a data URL holds."""
    return base64.b64decode(url.removeprefix("data:image/jpeg;base64,"), validate=True)


def _pixels(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGB"))


def _cookie(address: str) -> str:
    """What the page's first answers set, and everything that changes something has to show."""
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=PATIENCE) as answer:
            found = answer.headers.get("Set-Cookie", "")
        urllib.request.urlopen(address, timeout=PATIENCE).close()
    except OSError as error:
        raise Gone(f"no answer: {error}") from None
    return found.split(f"{XSRF}=")[1].split(";")[0] if XSRF in found else ""


def _put(address: str, cookie: str, name: str, data: bytes) -> None:
    boundary = uuid.uuid4().hex
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n\r\n'
    body = head.encode() + data + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "X-Xsrftoken": cookie,
               "Cookie": f"{XSRF}={cookie}"}  # fmt: skip
    try:
        urllib.request.urlopen(urllib.request.Request(address, body, headers, method="PUT"), timeout=PATIENCE).close()
    except urllib.error.HTTPError as error:
        raise Gone(f"the upload was refused: {error}") from None
