// The places where toolkits, distributions and the PyPI wheels put NVRTC.
#include <algorithm>
#include <cstdlib>
#include <system_error>

#include "backend/cuda/nvrtc_library.hpp"

namespace limrisk::cuda {
namespace {

namespace fs = std::filesystem;

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

/// Directories in `parent` whose name begins with `prefix`, in descending order by length and then by name: 3.11 before 3.9, 13.0
/// before 12.8.
std::vector<fs::path> directories_in(const fs::path& parent, const std::string& prefix) {
    std::vector<fs::path> found;
    std::error_code error;
    for (fs::directory_iterator entry(parent, error), end; !error && entry != end; entry.increment(error)) {
        std::error_code gone;
        if (entry->path().filename().string().starts_with(prefix) && entry->is_directory(gone)) found.push_back(entry->path());
    }
    std::sort(found.begin(), found.end(), [](const fs::path& a, const fs::path& b) {
        const std::string left = a.filename().string(), right = b.filename().string();
        return left.size() != right.size() ? left.size() > right.size() : left > right;
    });
    return found;
}

class Places {
public:
    /// Directories that exist, each once; the others are only mentioned.
    void add(const fs::path& directory) {
        std::error_code error;
        const fs::path real = fs::canonical(directory, error);
        if (error || !fs::is_directory(real, error)) return mention(directory.string() + " (is no directory)");
        if (std::find(seen_.begin(), seen_.end(), real) != seen_.end()) return;
        seen_.push_back(real);
        search.directories.push_back(directory);
    }

    void mention(const std::string& place) {
        if (std::find(search.absent.begin(), search.absent.end(), place) == search.absent.end()) search.absent.push_back(place);
    }

    void add_variable(const char* name, std::initializer_list<const char*> folders) {
        const std::string root = variable(name);
        if (root.empty()) return mention(std::string("$") + name + " (not set)");
        for (const char* folder : folders) add(fs::path(root) / folder);
    }

    /// The wheels in one folder of Python packages; says whether there are any.
    bool add_wheels(const fs::path& packages) {
        std::error_code error;
        bool any = false;
        std::vector<fs::path> roots = directories_in(packages / "nvidia", "cu1");  // cu13, from CUDA 13 on
        roots.push_back(packages / "nvidia" / "cuda_nvrtc");
        for (const fs::path& root : roots) {
            if (!fs::is_directory(root / "lib", error)) continue;
            add(root / "lib");
            any = true;
        }
        return any;
    }

    /// The wheels below a Python prefix such as /usr, or the folder of a virtual environment.
    bool add_prefix(const fs::path& prefix) {
        bool any = false;
        for (const fs::path& python : directories_in(prefix / "lib", "python3"))
            for (const char* packages : {"site-packages", "dist-packages"}) any |= add_wheels(python / packages);
        return any;
    }

    NvrtcSearch search;

private:
    std::vector<fs::path> seen_;
};

/// Environments that are active, then those of the user, then the system's.
std::vector<fs::path> python_prefixes() {
    std::vector<fs::path> prefixes;
    for (const char* name : {"VIRTUAL_ENV", "CONDA_PREFIX"})
        if (const std::string root = variable(name); !root.empty()) prefixes.emplace_back(root);
    const std::string path = variable("PATH");
    for (std::size_t begin = 0; begin <= path.size();) {
        const std::size_t end = std::min(path.find(':', begin), path.size());
        const fs::path folder = path.substr(begin, end - begin);
        std::error_code error;
        if (folder.is_absolute() && fs::exists(folder / "python3", error)) prefixes.push_back(folder.parent_path());
        begin = end + 1;
    }
    if (const std::string home = variable("HOME"); !home.empty()) {
        prefixes.push_back(fs::path(home) / ".local");
        for (const fs::path& version : directories_in(fs::path(home) / ".pyenv" / "versions", "3")) prefixes.push_back(version);
    }
    for (const char* prefix : {"/usr/local", "/usr", "/opt/conda"}) prefixes.emplace_back(prefix);
    return prefixes;
}

}  // namespace

NvrtcSearch NvrtcSearch::from_environment() {
    Places places;
    places.search.directories.emplace_back();
    places.add_variable("CUDA_HOME", {"lib64", "lib"});
    places.add_variable("CUDA_PATH", {"lib64", "lib"});
    places.add("/usr/local/cuda/lib64");
    for (const fs::path& toolkit : directories_in("/usr/local", "cuda-")) places.add(toolkit / "lib64");
    places.add_variable("CONDA_PREFIX", {"lib"});
    bool wheels = false;
    for (const fs::path& prefix : python_prefixes()) wheels |= places.add_prefix(prefix);
    if (!wheels) places.mention("the PyPI wheel nvidia-cuda-nvrtc (in no Python environment on PATH, in $HOME or of the system)");
    return places.search;
}

}  // namespace limrisk::cuda
