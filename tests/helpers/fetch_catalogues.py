"""What a catalogue holds of a question's dates, ground and attributes, as CMR and STAC answer it."""

from urllib.parse import parse_qs

from shapely.geometry import Polygon, box

from helpers.fetch_server import Asked


def cmr_gives(granule: dict, asked: Asked) -> bool:
    """Whether a granule (UMM-G) overlaps `temporal` and `bounding_box` and has every `attribute[]` of a question."""
    wanted = asked.query | parse_qs(asked.body.decode())
    umm = granule["umm"]
    if "temporal" in wanted:
        first, last = wanted["temporal"][0].split(",")[:2]
        span = umm["TemporalExtent"]["RangeDateTime"]
        if span["BeginningDateTime"] > last or span["EndingDateTime"] < first:
            return False
    if "bounding_box" in wanted:
        (ring,) = umm["SpatialExtent"]["HorizontalSpatialDomain"]["Geometry"]["GPolygons"]
        footprint = Polygon([(point["Longitude"], point["Latitude"]) for point in ring["Boundary"]["Points"]])
        if not footprint.intersects(box(*map(float, wanted["bounding_box"][0].split(",")))):
            return False
    has = {entry["Name"]: entry["Values"] for entry in umm["AdditionalAttributes"]}
    asked_for = (text.split(",")[1:] for text in wanted.get("attribute[]", []))
    return all(value in has.get(name, []) for name, value in asked_for)


def stac_gives(item: dict, wanted: dict) -> bool:
    """Whether an item lies within `datetime` and `bbox`, with at most the cloud, of a search's body."""
    given = item["properties"]
    first, last = wanted.get("datetime", "/~").split("/")
    ground = wanted.get("bbox", (-180, -90, 180, 90))
    most = wanted.get("query", {}).get("eo:cloud_cover", {}).get("lte", 100)
    return (
        first <= given["datetime"] <= last
        and given["eo:cloud_cover"] <= most
        and box(*item["bbox"]).intersects(box(*ground))
    )
