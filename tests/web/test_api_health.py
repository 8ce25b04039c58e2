"""Health, metrics, and the way in."""

from tests.web.running import Running, payment


def test_a_server_with_its_store_is_alive_and_ready(server: Running) -> None:
    with server.client(None) as client:
        assert client.get("/livez").json() == {"alive": True}
        assert client.get("/readyz").json() == {"ready": True}


def test_metrics_count_quotes_in_openmetrics(server: Running) -> None:
    with server.client("checkout") as client:
        client.post("/v1/quotes", json=payment())
    with server.client("auditor") as client:
        response = client.get("/metrics")
    assert response.headers["content-type"].startswith("application/openmetrics-text")
    assert 'makegood_quotes_total{outcome="granted"}' in response.text
    assert response.text.endswith("# EOF\n")


def test_the_root_leads_to_the_console(server: Running) -> None:
    with server.client(None) as client:
        response = client.get("/")
    assert (response.status_code, response.headers["location"]) == (303, "/console")


def test_a_static_file_named_by_its_content_is_kept_and_others_are_not(server: Running) -> None:
    from makegood.web.console.templates import STATIC, asset

    name = next(str(path.relative_to(STATIC)) for path in STATIC.rglob("*.css"))
    with server.client(None) as client:
        assert "immutable" in client.get(asset(name)).headers["cache-control"]
        assert client.get(f"/static/{name}").headers["cache-control"] == "no-store"
        assert client.get("/static/../app.py").status_code == 404
        assert client.get("/static/%2e%2e/app.py").status_code == 404
