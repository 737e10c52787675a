"""Granules as NASA's CMR describes them (UMM-G), for a fake of it."""

import hashlib
from datetime import date


def ring(bbox):
    """A footprint: [longitude, latitude] of a box's corners, counter-clockwise."""
    west, south, east, north = bbox
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def umm_opera(base: str, burst: str, day: date, footprint, made: str = "20240101T000000", size: int = 1000) -> dict:
    """A granule of OPERA_L2_CSLC-S1_V1 as CMR gives it in umm_json."""
    name = f"OPERA_L2_CSLC-S1_{burst}_{day:%Y%m%d}T132000Z_{made}Z_S1A_VV_v1.1"
    track = int(burst[1:4])
    return _umm(
        name,
        "C2777443834-ASF",
        day,
        footprint,
        {
            "ASCENDING_DESCENDING": ["DESCENDING"],
            "BEAM_MODE": ["IW"],
            "PATH_NUMBER": [str(track)],
            "OPERA_BURST_ID": [burst.replace("-", "_")],
            "POLARIZATION": ["VV"],
            "PROCESSING_TYPE": ["CSLC"],
            "ASF_PLATFORM": ["Sentinel-1A"],
            "PRODUCT_VERSION": ["1.1"],
        },
        [
            {"URL": f"{base}/OPERA_L2_CSLC-S1/{name}/{name}.h5?sig=secret".split("?")[0], "Type": "GET DATA"},
            {"URL": f"s3://bucket/{name}.h5", "Type": "GET DATA VIA DIRECT ACCESS"},
            {"URL": f"{base}/OPERA_L2_CSLC-S1/{name}/{name}.iso.xml", "Type": "EXTENDED METADATA"},
        ],
        [
            {
                "Name": f"{name}.h5",
                "SizeInBytes": size,
                "Size": 1.0,
                "SizeUnit": "KB",
                "Format": "HDF5",
                "Checksum": {"Value": "0" * 32, "Algorithm": "MD5"},
            },
            {"Name": f"{name}.iso.xml", "SizeInBytes": 10, "Format": "ISO-XML"},
        ],
    )


def umm_slc(base: str, day: date, track: int, footprint, size: int = 5000) -> dict:
    """A granule of SENTINEL-1A_SLC."""
    name = f"S1A_IW_SLC__1SDV_{day:%Y%m%d}T132000_{day:%Y%m%d}T132027_046700_059900_ABCD"
    return _umm(
        f"{name}-SLC",
        "C1214470488-ASF",
        day,
        footprint,
        {
            "ASCENDING_DESCENDING": ["DESCENDING"],
            "BEAM_MODE": ["IW"],
            "PATH_NUMBER": [str(track)],
            "BYTES": [str(size)],
            "MD5SUM": ["1" * 32],
            "POLARIZATION": ["VV+VH"],
            "PROCESSING_TYPE": ["SLC"],
            "ASF_PLATFORM": ["Sentinel-1A"],
            "FRAME_NUMBER": ["460"],
            "CENTER_LAT": ["38.5"],
            "CENTER_LON": ["-109.5"],
        },
        [{"URL": f"{base}/SLC/SA/{name}.zip", "Type": "GET DATA"}],
        [{"Name": "Not provided", "Size": 1.0, "SizeUnit": "MB"}],
        scene=name,
        collection="SENTINEL-1A_SLC",
    )


def umm_burst(base: str, day: date, number: int, footprint) -> dict:
    """A granule of SENTINEL-1_BURSTS."""
    name = f"S1_{number:06d}_IW2_{day:%Y%m%d}T132000_VV_7C85-BURST"
    scene = f"S1A_IW_SLC__1SDV_{day:%Y%m%d}T132000_{day:%Y%m%d}T132027_046700_059900_ABCD"
    attributes = {
        "ASCENDING_DESCENDING": ["DESCENDING"],
        "BEAM_MODE": ["IW"],
        "PATH_NUMBER": ["56"],
        "BYTE_LENGTH": ["153944400"],
        "POLARIZATION": ["VV"],
        "PROCESSING_TYPE": ["BURST"],
        "ASF_PLATFORM": ["Sentinel-1A"],
        "BURST_ID_RELATIVE": [str(number)],
        "BURST_ID_FULL": [f"056_{number:06d}_IW2"],
        "BURST_INDEX": ["3"],
        "SUBSWATH_NAME": ["IW2"],
        "GROUP_ID": [scene],
    }
    urls = [
        {"URL": f"{base}/{scene}/IW2/VV/3.{suffix}", "Type": "USE SERVICE API", "Subtype": "THREDDS DATA"}
        for suffix in ("tiff", "xml")
    ]
    return _umm(name, "C2709161906-ASF", day, footprint, attributes, urls, [], collection="SENTINEL-1_BURSTS")


def umm_day(base: str, short: str, name: str, day: date, data: bytes, *, kind: str = "SHA-256") -> dict:
    """A granule of a daily product (IMERG, SMAP)."""
    sums = {"SHA-256": hashlib.sha256(data).hexdigest(), "MD5": hashlib.md5(data).hexdigest()}
    return _umm(
        name,
        "C2723754864-GES_DISC",
        day,
        ring((-180, -90, 180, 90)),
        {},
        [
            {"URL": f"{base}/data/{short}/{name}", "Type": "GET DATA"},
            {"URL": f"s3://gesdisc/{name}", "Type": "GET DATA VIA DIRECT ACCESS"},
        ],
        [{"Name": name, "SizeInBytes": len(data), "Checksum": {"Value": sums[kind], "Algorithm": kind}}],
    )


def _umm(name, concept, day, footprint, attributes, urls, files, scene=None, collection="X") -> dict:
    points = [{"Longitude": x, "Latitude": y} for x, y in footprint]
    return {
        "meta": {
            "concept-type": "granule",
            "concept-id": f"G{abs(hash(name)) % 10**9}-ASF",
            "native-id": name,
            "provider-id": "ASF",
            "collection-concept-id": concept,
            "revision-id": 1,
        },
        "umm": {
            "GranuleUR": name,
            "TemporalExtent": {
                "RangeDateTime": {
                    "BeginningDateTime": f"{day}T13:20:00Z",
                    "EndingDateTime": f"{day}T13:20:27Z",
                }
            },
            "SpatialExtent": {
                "HorizontalSpatialDomain": {"Geometry": {"GPolygons": [{"Boundary": {"Points": points}}]}}
            },
            "OrbitCalculatedSpatialDomains": [{"OrbitNumber": 46700}],
            "AdditionalAttributes": [{"Name": key, "Values": values} for key, values in attributes.items()],
            "DataGranule": {
                "ProductionDateTime": f"{day}T20:00:00Z",
                "Identifiers": [{"IdentifierType": "ProducerGranuleId", "Identifier": scene or name}],
                "ArchiveAndDistributionInformation": files,
            },
            "RelatedUrls": urls,
            "Platforms": [{"ShortName": "Sentinel-1A", "Instruments": [{"ShortName": "SENTINEL-1 C-SAR"}]}],
            "CollectionReference": {"ShortName": collection, "Version": "1"},
        },
    }
