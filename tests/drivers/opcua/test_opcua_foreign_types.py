"""What a server says of its own types is never loaded, let alone run."""

import ast
from pathlib import Path
from typing import TYPE_CHECKING

from asyncua import ua
from asyncua.common.callback import CallbackType, ServerItemCallback
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds

import linecontrol_modbus
import linecontrol_opcua
from linecontrol_opcua.probe import OpcuaProbe

if TYPE_CHECKING:
    from tests.drivers.opcua.conftest import Rig

_PACKAGES = [Path(str(package.__file__)).parent for package in (linecontrol_opcua, linecontrol_modbus)]
_LOADERS = {
    "load_data_type_definitions",
    "load_enums",
    "load_enum_xml_import",
    "load_custom_struct",
    "load_custom_struct_xml_import",
    "load_type_definitions",
    "register_enum",
    "register_extension_object",
    "structures",
    "structures104",
    "exec",
    "eval",
}
"""Names by which asyncua makes Python code of what a server says, and Python itself of any text."""


def _names(source: str) -> set[str]:
    """Every name that a module uses: its own, those of others, and parts of modules that it imports."""
    found: set[str] = set()
    for part in ast.walk(ast.parse(source)):
        if isinstance(part, ast.Name):
            found.add(part.id)
        elif isinstance(part, ast.Attribute):
            found.add(part.attr)
        elif isinstance(part, ast.alias):
            found |= set(part.name.split("."))
        elif isinstance(part, ast.ImportFrom):
            found |= set((part.module or "").split("."))
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            found.add(part.value)
    return found


def test_no_driver_loads_types_or_runs_text() -> None:
    sources = [path for package in _PACKAGES for path in package.rglob("*.py")]
    assert len(sources) > 30
    assert {path.name: used for path in sources if (used := _names(path.read_text(encoding="utf-8")) & _LOADERS)} == {}
    assert _names("from asyncua.common import structures104 as s\nclient.load_enums()") >= {
        "structures104",
        "load_enums",
    }


async def test_types_with_code_in_their_names_do_nothing(rig: "Rig", tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    code = f"A = 0\n    __import__('pathlib').Path({str(marker)!r}).touch()\n    B"
    settings = rig.connection()
    tags = [
        rig.tag("l/s/state", "ns=1;s=state", "int32"),
        rig.tag("l/s/command_andon", "ns=1;s=command", "int16", writable=True),
    ]
    asked: list[tuple[ua.NodeId, int]] = []

    def note(event: ServerItemCallback, _: object) -> None:
        if event.is_external:
            asked.extend((wanted.NodeId, int(wanted.AttributeId)) for wanted in event.request_params.NodesToRead)

    async with rig.serve(settings, []) as plc:
        server = plc._server
        assert server is not None
        kind = await server.nodes.enum_data_type.add_data_type(1, code)
        await kind.write_data_type_definition(ua.EnumDefinition([ua.EnumField(Name=ua.String(code))]))
        names = await kind.add_property(0, "EnumStrings", [ua.LocalizedText(code)])
        xml = f'<opc:TypeDictionary><opc:EnumeratedType Name="{code}" LengthInBits="32"/></opc:TypeDictionary>'
        binary = server.get_node(ua.NodeId(ua.Int32(ObjectIds.OPCBinarySchema_TypeSystem)))
        dictionary = await binary.add_variable(1, code, xml.encode())
        places = [ua.NodeId(ua.String(name), ua.Int16(1)) for name in ("state", "command")]
        for place in places:
            name = str(place.Identifier)
            variable = await server.nodes.objects.add_variable(place, name, 1, ua.VariantType.Int32, kind.nodeid)
            await variable.set_writable()
        server.subscribe_server_callback(CallbackType.PreRead, note)
        async with rig.drive(settings, tags) as driver:
            (reading,) = await rig.until(driver.readings(), bool)
            await driver.write({"l/s/command_andon": 2})
        found = [finding async for finding in OpcuaProbe(settings.url, {}).look(lambda _, __: None)]
        written = await server.get_node(places[1]).read_value()
    assert (reading.value, written) == (1, 2)
    assert {"state", "command"} <= {finding.path[-1] for finding in found}
    assert asked
    assert not {node for node, _ in asked} & {names.nodeid, dictionary.nodeid, kind.nodeid}
    assert AttributeIds.DataTypeDefinition not in {attribute for _, attribute in asked}
    assert not marker.exists()
