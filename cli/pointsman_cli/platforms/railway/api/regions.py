"""Where services can run: the names change over the years, so they are asked for."""

from pointsman_cli.platforms.railway.api.client import Client


def names(client: Client, project: str) -> set[str]:
    """Return every name by which a region can be chosen for a service of the project."""
    answer = client.ask("list its regions", "regions", projectId=project or None)
    parts = ("id", "name", "region")
    return {each[part] for each in answer["regions"] for part in parts if each.get(part)}
