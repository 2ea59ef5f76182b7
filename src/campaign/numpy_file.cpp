// Points and arrays of NPY and NPZ files; libzip unpacks.
#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <memory>

#include "campaign/data_set.hpp"
#include "campaign/document.hpp"
#include "campaign/numpy_header.hpp"
#include "campaign/points_file.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers of files are copied as they are");

constexpr std::size_t most_preamble_bytes = 12 + most_numpy_header_bytes;
constexpr zip_int64_t most_arrays = static_cast<zip_int64_t>(most_file_columns);

struct Array {
    std::string name;  ///< empty: the only one of its file
    NumpyLayout layout;
    std::string_view numbers;
};

/// Column `number` of an array, from 0 on.
struct ArrayColumn {
    const Array* array;
    std::int64_t number;
    bool operator==(const ArrayColumn&) const = default;
    std::string text() const {
        if (array->name.empty()) return fmt::format("column {}", number + 1);
        const std::string name = abbreviated(array->name);
        return array->layout.flat ? fmt::format("array \"{}\"", name) : fmt::format("array \"{}\", column {}", name, number + 1);
    }
};

template <class Number>
Number number_at(const char* bytes) {
    Number number;
    std::memcpy(&number, bytes, sizeof number);
    return number;
}

class Chosen {
public:
    explicit Chosen(std::string file) : file_(std::move(file)) {}

    void add(const ArrayColumn& column, std::vector<ArrayColumn>& to) {
        for (const std::vector<ArrayColumn>* others : {&inputs, &output, &weight})
            if (std::find(others->begin(), others->end(), column) != others->end())
                refuse(fmt::format("{} is chosen twice; choose every column once", column.text()));
        to.push_back(column);
    }
    bool has(const ArrayColumn& column) const { return column == output.front() || (!weight.empty() && column == weight.front()); }

    RawPoints points() const {
        if (inputs.empty() || inputs.size() > static_cast<std::size_t>(most_data_dimension))
            refuse(fmt::format("{} columns of inputs; from 1 to {} are allowed", inputs.size(), most_data_dimension));
        const std::int64_t rows = output.front().array->layout.rows;
        for (const std::vector<ArrayColumn>* columns : {&inputs, &weight})
            for (const ArrayColumn& column : *columns)
                if (column.array->layout.rows != rows)
                    refuse(fmt::format("{} has {} rows, {} has {}; all columns must have as many", column.text(), column.array->layout.rows,
                                       output.front().text(), rows));
        RawPoints points;
        points.dimension = static_cast<std::int64_t>(inputs.size());
        for (std::int64_t row = 0; row < rows; ++row) {
            for (const ArrayColumn& column : inputs) points.inputs.push_back(value(column, row));
            points.outputs.push_back(value(output.front(), row));
            if (weight.empty()) continue;
            points.weights.push_back(value(weight.front(), row));
            if (points.weights.back() < 0)
                refuse(fmt::format("{}, row {}: the weight {} is negative; weights are at least 0", weight.front().text(), row + 1,
                                   points.weights.back()));
        }
        return points;
    }

    std::vector<ArrayColumn> inputs, output, weight;

private:
    [[noreturn]] void refuse(const std::string& what) const { throw ConfigError({fmt::format("{}: {}", file_, what)}); }

    double value(const ArrayColumn& column, std::int64_t row) const {
        const NumpyLayout& layout = column.array->layout;
        const std::int64_t place = layout.by_columns ? column.number * layout.rows + row : row * layout.columns + column.number;
        const char* bytes = column.array->numbers.data() + place * layout.size;
        if (layout.kind == 'i') {
            const std::int64_t whole = layout.size == 4 ? number_at<std::int32_t>(bytes) : number_at<std::int64_t>(bytes);
            constexpr std::int64_t largest = std::int64_t{1} << 53;
            if (whole > largest || whole < -largest)
                refuse(fmt::format("{}, row {}: the integer {} is beyond 2^53, where float64 does not hold all", column.text(), row + 1,
                                   whole));
            return static_cast<double>(whole);
        }
        const double number = layout.size == 4 ? static_cast<double>(number_at<float>(bytes)) : number_at<double>(bytes);
        if (!std::isfinite(number)) refuse(fmt::format("{}, row {}: {} is not a finite number", column.text(), row + 1, number));
        return number;
    }

    std::string file_;
};

/// The archive of a NPZ file in memory, whose arrays are unpacked when they are asked for.
class Archive {
public:
    Archive(std::string file, std::string_view bytes) : file_(std::move(file)) {
        zip_error_t error;
        zip_error_init(&error);
        zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
        if (source != nullptr) archive_.reset(zip_open_from_source(source, ZIP_RDONLY, &error));
        const std::string why = archive_ != nullptr ? "" : zip_error_strerror(&error);
        if (archive_ == nullptr && source != nullptr) zip_source_free(source);
        zip_error_fini(&error);
        if (archive_ == nullptr) refuse(fmt::format("is no NPZ file ({}); write one with numpy.savez", why));
        const zip_int64_t entries = zip_get_num_entries(archive_.get(), 0);
        if (entries > most_arrays) refuse(fmt::format("has {} entries; at most {} are read", entries, most_arrays));
        for (zip_int64_t k = 0; k < entries; ++k) {
            const char* entry = zip_get_name(archive_.get(), static_cast<zip_uint64_t>(k), 0);
            std::string name = entry == nullptr ? "" : entry;
            if (!name.ends_with(".npy")) continue;
            name.resize(name.size() - 4);
            if (find(name) != nullptr) refuse(fmt::format("two arrays are called \"{}\"; give them different names", abbreviated(name)));
            arrays_.push_back(std::make_unique<Packed>(Packed{static_cast<zip_uint64_t>(k), name, {}, {}, false}));
        }
        if (arrays_.empty()) refuse("has no array; write it with numpy.savez");
    }

    /// In their order in the file.
    std::vector<const Array*> all() {
        std::vector<const Array*> arrays;
        for (const auto& packed : arrays_) arrays.push_back(&unpacked(*packed));
        return arrays;
    }

    /// The columns that a name or number means.
    std::vector<ArrayColumn> columns(const DataColumn& column) {
        if (column.number > 0) {
            if (arrays_.size() > 1)
                refuse(fmt::format("column {} of {} arrays; choose by name, \"x\" for the array x, \"x[2]\" for its second column",
                                   column.number, arrays_.size()));
            return {column_of(unpacked(*arrays_.front()), column.number)};
        }
        if (Packed* packed = find(column.name)) {
            const Array& array = unpacked(*packed);
            std::vector<ArrayColumn> whole;
            for (std::int64_t k = 0; k < array.layout.columns; ++k) whole.push_back({&array, k});
            return whole;
        }
        const std::size_t open = column.name.rfind('[');
        std::int64_t number = 0;
        if (open != std::string::npos && column.name.ends_with(']')) {
            const char* end = column.name.data() + column.name.size() - 1;
            const auto result = std::from_chars(column.name.data() + open + 1, end, number);
            if (result.ec != std::errc() || result.ptr != end) number = 0;
        }
        Packed* packed = number > 0 ? find(column.name.substr(0, open)) : nullptr;
        if (packed == nullptr) refuse_name(column.name);
        return {column_of(unpacked(*packed), number)};
    }

    /// Whether there is an array of this name.
    bool has(const std::string& name) { return find(name) != nullptr; }

    WholeArray whole(const std::string& name) {
        Packed* const packed = find(name);
        if (packed == nullptr) refuse_name(name);
        const Array& array = unpacked(*packed, true);
        const NumpyLayout& layout = array.layout;
        if (layout.by_columns && layout.shape.size() > 1)
            refuse(fmt::format("array \"{}\" is in Fortran's order; save it with numpy.ascontiguousarray", abbreviated(name)));
        WholeArray numbers{layout.shape, {}};
        for (std::int64_t k = 0; k < layout.rows; ++k) {
            const char* const at = array.numbers.data() + k * layout.size;
            numbers.numbers.push_back(
                layout.kind == 'i' ? static_cast<double>(layout.size == 4 ? number_at<std::int32_t>(at) : number_at<std::int64_t>(at))
                : layout.size == 4 ? static_cast<double>(number_at<float>(at))
                                   : number_at<double>(at));
        }
        return numbers;
    }

    ArrayColumn single(const DataColumn& column, const char* what) {
        const std::vector<ArrayColumn> found = columns(column);
        if (found.size() != 1)
            refuse(fmt::format("{} is the array \"{}\" with {} columns; choose one of them, \"{}[1]\"", what, abbreviated(column.name),
                               found.size(), abbreviated(column.name)));
        return found.front();
    }

private:
    struct Packed {
        zip_uint64_t entry;
        std::string name;
        Array array;
        std::string bytes;  ///< header and numbers
        bool ready;
    };
    struct Close {
        void operator()(zip_t* archive) const { zip_discard(archive); }
        void operator()(zip_file_t* file) const { zip_fclose(file); }
    };

    [[noreturn]] void refuse(const std::string& what) const { throw ConfigError({fmt::format("{}: {}", file_, what)}); }

    [[noreturn]] void refuse_name(const std::string& name) const {
        std::string names;
        for (const auto& each : arrays_) names += (names.empty() ? "" : ", ") + each->name;
        refuse(fmt::format("there is no array \"{}\"; there are {}", abbreviated(name), abbreviated(names, 200)));
    }

    Packed* find(std::string_view name) {
        for (const auto& packed : arrays_)
            if (packed->name == name) return packed.get();
        return nullptr;
    }

    ArrayColumn column_of(const Array& array, std::int64_t number) const {
        if (number > array.layout.columns)
            refuse(fmt::format("there is no column {} of array \"{}\"; it has {}", number, abbreviated(array.name), array.layout.columns));
        return {&array, number - 1};
    }

    const Array& unpacked(Packed& packed, bool any_shape = false) {
        if (packed.ready) return packed.array;
        const std::string where = fmt::format("{}: array \"{}\" ", file_, abbreviated(packed.name));
        const auto refuse_array = [&](const std::string& what) { throw ConfigError({where + what}); };
        zip_stat_t stat;
        constexpr zip_uint64_t needed = ZIP_STAT_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
        if (zip_stat_index(archive_.get(), packed.entry, 0, &stat) != 0 || (stat.valid & needed) != needed)
            refuse_array("has no size in the directory of the file");
        if (stat.encryption_method != ZIP_EM_NONE) refuse_array("is encrypted; save it without");
        if (stat.comp_method != ZIP_CM_STORE && stat.comp_method != ZIP_CM_DEFLATE)
            refuse_array(fmt::format("is packed by method {} of zip; allowed are 0 and 8, which NumPy writes", stat.comp_method));
        if (stat.size > most_file_bytes - unpacked_)
            refuse_array(fmt::format("takes {} bytes unpacked; all arrays together may take {} MiB", stat.size, most_file_bytes >> 20));
        const std::unique_ptr<zip_file_t, Close> file(zip_fopen_index(archive_.get(), packed.entry, 0));
        if (file == nullptr) refuse_array(fmt::format("cannot be unpacked: {}", zip_strerror(archive_.get())));
        const auto read = [&](std::size_t from, std::size_t count) {
            const zip_int64_t got = zip_fread(file.get(), packed.bytes.data() + from, count);
            if (got != static_cast<zip_int64_t>(count))
                refuse_array(fmt::format("cannot be unpacked: {}", got < 0 ? zip_file_strerror(file.get()) : "it ends too soon"));
        };
        const std::size_t first = std::min<std::size_t>(stat.size, most_preamble_bytes);
        packed.bytes.resize(first);
        read(0, first);
        packed.array.layout = numpy_layout(packed.bytes, stat.size, where, any_shape);
        packed.bytes.resize(stat.size);
        read(first, stat.size - first);
        char behind = 0;  // reading to the end compares the checksum
        if (zip_fread(file.get(), &behind, 1) != 0) refuse_array("cannot be unpacked: its checksum or its size is wrong");
        unpacked_ += stat.size;
        packed.array.name = packed.name;
        packed.array.numbers = std::string_view(packed.bytes).substr(packed.array.layout.begin);
        packed.ready = true;
        return packed.array;
    }

    std::string file_;
    std::unique_ptr<zip_t, Close> archive_;
    std::vector<std::unique_ptr<Packed>> arrays_;
    std::size_t unpacked_ = 0;
};

/// The inputs: those that are named, else all columns of `arrays` that are neither output nor weight.
template <class ColumnsOf>
RawPoints chosen_points(Chosen& chosen, const DataColumns& columns, const std::vector<const Array*>& arrays, const ColumnsOf& columns_of) {
    for (const DataColumn& column : columns.inputs)
        for (const ArrayColumn& of : columns_of(column)) chosen.add(of, chosen.inputs);
    if (columns.inputs.empty())
        for (const Array* array : arrays)
            for (std::int64_t k = 0; k < array->layout.columns; ++k)
                if (!chosen.has({array, k})) chosen.inputs.push_back({array, k});
    return chosen.points();
}

}  // namespace

RawPoints npy_points(const std::string& name, std::string_view bytes, const DataColumns& columns) {
    const NumpyLayout layout = numpy_layout(bytes.substr(0, most_preamble_bytes), bytes.size(), name + ": ");
    const Array array{"", layout, bytes.substr(layout.begin)};
    const auto columns_of = [&](const DataColumn& column) {
        const auto refuse = [&](const std::string& what) { throw ConfigError({fmt::format("{}: {}", name, what)}); };
        if (column.number == 0)
            refuse(fmt::format("column \"{}\", but columns of a NPY file have no names; choose by number from 1 to {}",
                               abbreviated(column.name), layout.columns));
        if (column.number > layout.columns) refuse(fmt::format("there is no column {}; there are {}", column.number, layout.columns));
        return std::vector<ArrayColumn>{{&array, column.number - 1}};
    };
    Chosen chosen(name);
    chosen.add(columns_of(columns.output).front(), chosen.output);
    if (columns.weight) chosen.add(columns_of(*columns.weight).front(), chosen.weight);
    return chosen_points(chosen, columns, {&array}, columns_of);
}

RawPoints npz_points(const std::string& name, std::string_view bytes, const DataColumns& columns) {
    Archive archive(name, bytes);
    Chosen chosen(name);
    chosen.add(archive.single(columns.output, "output"), chosen.output);
    if (columns.weight) chosen.add(archive.single(*columns.weight, "weight"), chosen.weight);
    return chosen_points(chosen, columns, columns.inputs.empty() ? archive.all() : std::vector<const Array*>{},
                         [&](const DataColumn& column) { return archive.columns(column); });
}

std::vector<WholeArray> npz_arrays(const std::string& name, std::string_view bytes, const std::vector<std::string>& names,
                                   const std::vector<std::string>& optional) {
    Archive archive(name, bytes);
    std::vector<WholeArray> arrays;
    for (const std::string& array : names) arrays.push_back(archive.whole(array));
    for (const std::string& array : optional)
        if (archive.has(array)) arrays.push_back(archive.whole(array));
    return arrays;
}

}  // namespace limrisk
