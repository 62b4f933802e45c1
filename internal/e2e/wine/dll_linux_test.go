package wine

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"slices"
)

// forwarder is a DLL without code: its one export is another DLL's. Go's programs take
// their random bytes from bcryptprimitives.ProcessPrng, which Wine has only since 9.
// See Microsoft's "PE Format"; the export table is its section 6.3.
func forwarder(dll, export, to string) []byte {
	const (
		alignment = 0x200  // of sections in the file, and of the headers
		rva       = 0x1000 // of the only section
		peAt      = 0x40   // where the DOS header ends, which is nothing but two fields
	)
	table := exportTable(rva, dll, export, to)
	optional := pe.OptionalHeader64{
		Magic:                       0x20b, // PE32+
		SizeOfInitializedData:       alignment,
		ImageBase:                   0x1_8000_0000,
		SectionAlignment:            rva,
		FileAlignment:               alignment,
		MajorOperatingSystemVersion: 6,
		MajorSubsystemVersion:       6,
		SizeOfImage:                 2 * rva,
		SizeOfHeaders:               alignment,
		Subsystem:                   pe.IMAGE_SUBSYSTEM_WINDOWS_CUI,
		DllCharacteristics:          pe.IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE | pe.IMAGE_DLLCHARACTERISTICS_NX_COMPAT,
		NumberOfRvaAndSizes:         16,
	}
	optional.DataDirectory[pe.IMAGE_DIRECTORY_ENTRY_EXPORT] = pe.DataDirectory{VirtualAddress: rva, Size: uint32(len(table))}
	header := pe.FileHeader{
		Machine:              pe.IMAGE_FILE_MACHINE_AMD64,
		NumberOfSections:     1,
		SizeOfOptionalHeader: uint16(binary.Size(optional)),
		Characteristics:      pe.IMAGE_FILE_EXECUTABLE_IMAGE | pe.IMAGE_FILE_LARGE_ADDRESS_AWARE | pe.IMAGE_FILE_DLL,
	}
	section := pe.SectionHeader32{
		Name:             [8]uint8([]byte(".edata\x00\x00")),
		VirtualSize:      uint32(len(table)),
		VirtualAddress:   rva,
		SizeOfRawData:    alignment,
		PointerToRawData: alignment,
		Characteristics:  pe.IMAGE_SCN_CNT_INITIALIZED_DATA | pe.IMAGE_SCN_MEM_READ,
	}
	dos := make([]byte, peAt)
	copy(dos, "MZ")
	binary.LittleEndian.PutUint32(dos[0x3c:], peAt)
	headers := slices.Concat(dos, []byte("PE\x00\x00"), packed(header), packed(optional), packed(section))
	return slices.Concat(padded(headers, alignment), padded(table, alignment))
}

// exportTable is a directory with one name. An address that lies in the table itself is
// that of a text, DLL.function, to which the export leads.
func exportTable(rva uint32, dll, export, to string) []byte {
	type directory struct {
		Flags, Time, Version         uint32
		Name, Base, Addresses, Names uint32
		AddressAt, NameAt, OrdinalAt uint32
		Address, NamePointer         uint32 // the three tables, of one entry each
		Ordinal                      uint16
	}
	size := uint32(binary.Size(directory{}))
	dllAt := rva + size
	exportAt := dllAt + uint32(len(dll)) + 1
	toAt := exportAt + uint32(len(export)) + 1
	d := directory{
		Name: dllAt, Base: 1, Addresses: 1, Names: 1,
		AddressAt: rva + 40, NameAt: rva + 44, OrdinalAt: rva + 48,
		Address: toAt, NamePointer: exportAt,
	}
	return append(packed(d), dll+"\x00"+export+"\x00"+to+"\x00"...)
}

func packed(v any) []byte {
	var b bytes.Buffer
	binary.Write(&b, binary.LittleEndian, v) // into memory
	return b.Bytes()
}

func padded(b []byte, size int) []byte { return append(b, make([]byte, size-len(b))...) }
