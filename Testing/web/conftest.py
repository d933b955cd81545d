"""A launcher and a browser for the tests of the web page; without them these tests are skipped, and say why."""

import shutil

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]


@pytest.fixture(scope="session")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright: make test-web installs it")
    if CHROMIUM is None:
        pytest.skip("needs chromium, for example from the package of that name")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def kept(tmp_path_factory):
    """Where the maps of the example scans are kept, for all launchers of a run."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="session")
def launch(kept, tmp_path_factory):
    """Starts launchers, and ends them: launch(*options)."""
    pytest.importorskip("trame_slicer", reason="needs trame-slicer: make test-web installs it")
    from web_demo.launcher_process import LauncherProcess

    running = []

    def start(*options):
        running.append(LauncherProcess(tmp_path_factory.mktemp("launcher"), "--kept", str(kept), *options))
        return running[-1]

    yield start
    for one in running:
        one.end()


@pytest.fixture(scope="session")
def launcher(launch):
    """One launcher for tests that do not end it."""
    return launch("--places", "5", "--keep-seconds", "4")


@pytest.fixture(scope="module")
def page(browser, launcher):
    """The page of one visitor, for all tests of a file."""
    from web_page import VisitorsPage

    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = VisitorsPage(context.new_page(), launcher.address)
    page.open()
    yield page
    context.close()


@pytest.fixture
def visit(browser, launcher):
    """Opens pages as separate visitors: visit(**options of the browser's context)."""
    from web_page import VisitorsPage

    contexts = []

    def open_page(address=launcher.address, **options):
        contexts.append(browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options}))
        page = VisitorsPage(contexts[-1].new_page(), address)
        page.open()
        return page

    yield open_page
    for context in contexts:
        context.close()
