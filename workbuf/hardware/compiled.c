/* The atomics of one thread, as C functions: patomic's own function pointers, called without cffi between.
 *
 * bind(memory, fault, (load, store, exchange, cmpxchg_strong, u_fetch_add, or)) -> (load, store, cas, xchg, xadd, or8)
 *
 * `memory` is a writable buffer of 64-bit words, `fault(byte)` raises for an address outside of it, the six integers are
 * the addresses of patomic's sequentially consistent functions (`workbuf.hardware.binding` says where they come from).
 * What comes back belongs to the calling thread: threads that shared these objects would count references to them.
 *
 * The GIL is released around every operation.  Without that, threads change over at bytecode boundaries only, never
 * inside an operation, and meet a tenth as often.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

typedef struct {
    PyObject_HEAD
    Py_buffer memory;
    uint64_t *words;
    Py_ssize_t limit; /* in words */
    PyObject *fault;
    void (*load)(uint64_t *, uint64_t *);
    void (*store)(uint64_t *, uint64_t *);
    void (*exchange)(uint64_t *, uint64_t *, uint64_t *);
    int (*cmpxchg)(uint64_t *, uint64_t *, uint64_t *);
    void (*fetch_add)(uint64_t *, uint64_t *, uint64_t *);
    void (*or)(uint8_t *, uint8_t *);
} Handle;

/* The exception of an address outside the memory: what `fault` raises, asked with the byte address. */
static void *outside(Handle *self, PyObject *address, int words)
{
    PyObject *width = PyLong_FromLong(words ? 8 : 1);
    PyObject *byte = width ? PyNumber_Multiply(address, width) : NULL;
    PyObject *done = byte ? PyObject_CallOneArg(self->fault, byte) : NULL;
    if (done)
        PyErr_SetString(PyExc_SystemError, "fault() returned");
    Py_XDECREF(done);
    Py_XDECREF(byte);
    Py_XDECREF(width);
    return NULL;
}

/* The word at cell `address`, or NULL with an exception. */
static uint64_t *cell(Handle *self, PyObject *address)
{
    int overflow;
    long long a = PyLong_AsLongLongAndOverflow(address, &overflow);
    if (a == -1 && PyErr_Occurred())
        return NULL;
    if (overflow || a <= 0 || a >= self->limit)
        return outside(self, address, 1);
    return self->words + a;
}

/* A value that must fit into a word.  -1 with an exception if it does not. */
static int word(PyObject *value, uint64_t *to)
{
    *to = PyLong_AsUnsignedLongLong(value);
    return *to == (uint64_t)-1 && PyErr_Occurred() ? -1 : 0;
}

static int arguments(Py_ssize_t given, Py_ssize_t wanted, const char *name)
{
    if (given == wanted)
        return 0;
    PyErr_Format(PyExc_TypeError, "%s() takes %zd arguments, not %zd", name, wanted, given);
    return -1;
}

static PyObject *op_load(PyObject *me, PyObject *address)
{
    Handle *self = (Handle *)me;
    uint64_t seen, *at = cell(self, address);
    if (!at)
        return NULL;
    Py_BEGIN_ALLOW_THREADS self->load(at, &seen);
    Py_END_ALLOW_THREADS return PyLong_FromUnsignedLongLong(seen);
}

static PyObject *op_store(PyObject *me, PyObject *const *args, Py_ssize_t n)
{
    Handle *self = (Handle *)me;
    uint64_t v, *at;
    if (arguments(n, 2, "store") || !(at = cell(self, args[0])) || word(args[1], &v))
        return NULL;
    Py_BEGIN_ALLOW_THREADS self->store(at, &v);
    Py_END_ALLOW_THREADS Py_RETURN_NONE;
}

static PyObject *op_cas(PyObject *me, PyObject *const *args, Py_ssize_t n)
{
    Handle *self = (Handle *)me;
    uint64_t old, new, *at;
    int done;
    if (arguments(n, 3, "cas") || !(at = cell(self, args[0])) || word(args[1], &old) || word(args[2], &new))
        return NULL;
    Py_BEGIN_ALLOW_THREADS done = self->cmpxchg(at, &old, &new);
    Py_END_ALLOW_THREADS return PyBool_FromLong(done);
}

static PyObject *op_xchg(PyObject *me, PyObject *const *args, Py_ssize_t n)
{
    Handle *self = (Handle *)me;
    uint64_t v, seen, *at;
    if (arguments(n, 2, "xchg") || !(at = cell(self, args[0])) || word(args[1], &v))
        return NULL;
    Py_BEGIN_ALLOW_THREADS self->exchange(at, &v, &seen);
    Py_END_ALLOW_THREADS return PyLong_FromUnsignedLongLong(seen);
}

static PyObject *op_xadd(PyObject *me, PyObject *const *args, Py_ssize_t n)
{
    Handle *self = (Handle *)me;
    uint64_t delta, seen, *at;
    if (arguments(n, 2, "xadd") || !(at = cell(self, args[0])))
        return NULL;
    /* Negative and wide ones wrap, as they do in the hardware. */
    delta = PyLong_AsUnsignedLongLongMask(args[1]);
    if (delta == (uint64_t)-1 && PyErr_Occurred())
        return NULL;
    Py_BEGIN_ALLOW_THREADS self->fetch_add(at, &delta, &seen);
    Py_END_ALLOW_THREADS return PyLong_FromUnsignedLongLong(seen + delta);
}

static PyObject *op_or8(PyObject *me, PyObject *const *args, Py_ssize_t n)
{
    Handle *self = (Handle *)me;
    int overflow;
    long long at;
    unsigned long mask;
    uint8_t byte;
    if (arguments(n, 2, "or8"))
        return NULL;
    at = PyLong_AsLongLongAndOverflow(args[0], &overflow);
    if (at == -1 && PyErr_Occurred())
        return NULL;
    if (overflow || at < 8 || at >= self->limit * 8)
        return outside(self, args[0], 0);
    mask = PyLong_AsUnsignedLong(args[1]);
    if (mask == (unsigned long)-1 && PyErr_Occurred())
        return NULL;
    if (mask > 0xFF) {
        PyErr_SetString(PyExc_ValueError, "the mask of or8 is a byte");
        return NULL;
    }
    byte = (uint8_t)mask;
    Py_BEGIN_ALLOW_THREADS self->or ((uint8_t *)self->words + at, &byte);
    Py_END_ALLOW_THREADS Py_RETURN_NONE;
}

static PyMethodDef operations[] = {
    {"load", op_load, METH_O, NULL},
    {"store", (PyCFunction)(void (*)(void))op_store, METH_FASTCALL, NULL},
    {"cas", (PyCFunction)(void (*)(void))op_cas, METH_FASTCALL, NULL},
    {"xchg", (PyCFunction)(void (*)(void))op_xchg, METH_FASTCALL, NULL},
    {"xadd", (PyCFunction)(void (*)(void))op_xadd, METH_FASTCALL, NULL},
    {"or8", (PyCFunction)(void (*)(void))op_or8, METH_FASTCALL, NULL},
};
#define OPERATIONS (Py_ssize_t)(sizeof operations / sizeof *operations)

static void handle_free(PyObject *me)
{
    Handle *self = (Handle *)me;
    PyTypeObject *type = Py_TYPE(me);
    if (self->memory.obj)
        PyBuffer_Release(&self->memory);
    Py_XDECREF(self->fault);
    type->tp_free(me);
    Py_DECREF(type);
}

static PyType_Slot handle_slots[] = {
    {Py_tp_dealloc, handle_free},
    {Py_tp_doc, "The memory that one thread's operations work on."},
    {0, NULL},
};
static PyType_Spec handle_spec = {
    "workbuf.hardware.compiled.Handle", sizeof(Handle), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, handle_slots,
};

static PyObject *bind(PyObject *module, PyObject *args)
{
    PyTypeObject **type = PyModule_GetState(module);
    PyObject *memory, *fault, *found;
    unsigned long long at[6];
    if (!PyArg_ParseTuple(args, "OO(KKKKKK)", &memory, &fault, at, at + 1, at + 2, at + 3, at + 4, at + 5))
        return NULL;
    for (int i = 0; i < 6; i++)
        if (!at[i]) {
            PyErr_SetString(PyExc_ValueError, "a function has no address");
            return NULL;
        }
    Handle *self = (Handle *)(*type)->tp_alloc(*type, 0);
    if (!self)
        return NULL;
    if (PyObject_GetBuffer(memory, &self->memory, PyBUF_WRITABLE) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    self->words = self->memory.buf;
    self->limit = self->memory.len / 8;
    self->fault = Py_NewRef(fault);
    self->load = (void (*)(uint64_t *, uint64_t *))(uintptr_t)at[0];
    self->store = (void (*)(uint64_t *, uint64_t *))(uintptr_t)at[1];
    self->exchange = (void (*)(uint64_t *, uint64_t *, uint64_t *))(uintptr_t)at[2];
    self->cmpxchg = (int (*)(uint64_t *, uint64_t *, uint64_t *))(uintptr_t)at[3];
    self->fetch_add = (void (*)(uint64_t *, uint64_t *, uint64_t *))(uintptr_t)at[4];
    self->or = (void (*)(uint8_t *, uint8_t *))(uintptr_t)at[5];
    found = PyTuple_New(OPERATIONS);
    for (Py_ssize_t i = 0; found && i < OPERATIONS; i++) {
        PyObject *operation = PyCFunction_New(operations + i, (PyObject *)self);
        if (!operation)
            Py_CLEAR(found);
        else
            PyTuple_SET_ITEM(found, i, operation);
    }
    Py_DECREF(self);
    return found;
}

static int module_exec(PyObject *module)
{
    PyTypeObject **type = PyModule_GetState(module);
    *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &handle_spec, NULL);
    return *type ? 0 : -1;
}

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
    PyTypeObject **type = PyModule_GetState(module);
    Py_VISIT(*type);
    return 0;
}

static int module_clear(PyObject *module)
{
    PyTypeObject **type = PyModule_GetState(module);
    Py_CLEAR(*type);
    return 0;
}

static PyMethodDef functions[] = {
    {"bind", bind, METH_VARARGS, "bind(memory, fault, addresses) -> (load, store, cas, xchg, xadd, or8)"},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, module_exec},
#ifdef Py_GIL_DISABLED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "compiled", "The atomics of one thread, as C functions.", sizeof(PyTypeObject *), functions, slots,
    module_traverse, module_clear, NULL,
};

PyMODINIT_FUNC PyInit_compiled(void)
{
    return PyModuleDef_Init(&definition);
}
