// statfs(2) for the kind, and a trial file for what works.
#include "cli/file_system.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace limrisk::cli {
namespace {

struct KnownKind {
    unsigned long magic;
    const char* name;
    bool network;
};

/// statfs(2) and linux/magic.h.
constexpr KnownKind known_kinds[] = {
    {0xEF53, "ext2/3/4", false},  {0x58465342, "xfs", false},       {0x9123683E, "btrfs", false},
    {0x01021994, "tmpfs", false}, {0x794C7630, "overlayfs", false}, {0x2FC12FC1, "zfs", false},
    {0x858458F6, "ramfs", false}, {0xF2F52010, "f2fs", false},      {0x4D44, "vfat", false},
    {0x2011BAB0, "exfat", false}, {0x73717368, "squashfs", false},  {0x65735546, "fuse", false},
    {0x6969, "nfs", true},        {0xFF534D42, "cifs", true},       {0xFE534D42, "smb2", true},
    {0x517B, "smb", true},        {0x0BD00BD0, "lustre", true},     {0x47504653, "gpfs", true},
    {0x19830326, "beegfs", true}, {0x00C36400, "ceph", true},       {0x5346414F, "afs", true},
    {0x01021997, "9p", true},
};

std::string reason(const char* doing) { return fmt::format("{}: {}", doing, std::strerror(errno)); }

std::string try_file(const std::filesystem::path& directory) {
    const std::string path = (directory / fmt::format(".limrisk-doctor-{}", ::getpid())).string();
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0) return reason("cannot create a file there");
    ::unlink(path.c_str());  // at once: nothing is left, whatever happens
    std::string problem;
    struct flock range {};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    range.l_len = 1;
    if (::fcntl(descriptor, F_SETLK, &range) != 0)
        problem = reason("byte-range locks do not work there, and SQLite needs them");
    else if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0)
        problem = reason("flock does not work there, and the lock of the writer needs it");
    else if (::write(descriptor, "limrisk", 7) != 7)
        problem = reason("cannot write there");
    else if (::fsync(descriptor) != 0)
        problem = reason("fsync does not work there");
    ::close(descriptor);
    return problem;
}

}  // namespace

FileSystemReport inspect_directory(const std::filesystem::path& directory) {
    FileSystemReport report;
    struct statfs status {};
    if (::statfs(directory.c_str(), &status) != 0) {
        report.kind = "unknown";
        report.problem = reason("cannot be looked at");
        return report;
    }
    const auto magic = static_cast<unsigned long>(status.f_type) & 0xFFFFFFFFUL;
    report.kind = fmt::format("of unknown kind {:#x}", magic);
    for (const KnownKind& kind : known_kinds) {
        if (kind.magic != magic) continue;
        report.kind = kind.name;
        report.network = kind.network;
    }
    report.free_bytes = static_cast<double>(status.f_bavail) * static_cast<double>(status.f_bsize);
    report.total_bytes = static_cast<double>(status.f_blocks) * static_cast<double>(status.f_bsize);
    report.problem = try_file(directory);
    return report;
}

}  // namespace limrisk::cli
